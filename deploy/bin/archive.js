#!/usr/bin/env node
// Keeps old parts of the log in files: list, seal, trim, verify. Speaks to the log itself with the managers' credentials,
// as nobody else may take anything out of it. Without PORTOLAN_… in the environment: the cluster that npm start runs.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const env = process.env;
const home = env.PORTOLAN_HOME ?? join(root, '.portolan');
const credentials = join(home, 'credentials', 'manager.json');
if (env.PORTOLAN_NATS_URL === undefined && existsSync(credentials)) {
  env.PORTOLAN_NATS_URL = `nats://127.0.0.1:${env.PORTOLAN_NATS_PORT ?? 7422}`;
  env.PORTOLAN_NATS_CREDENTIALS ??= credentials;
  env.PORTOLAN_ARCHIVE_DIR ??= join(home, 'archive');
}
const main = join(root, 'dist', 'apps', 'switch-manager', 'src', 'archive.main.js');
if (existsSync(main)) {
  await import(main);
} else {
  process.stderr.write('portolan is not built yet: run npm start once\n');
  process.exitCode = 1;
}
