#!/usr/bin/env node
// Leaves out a commit that nobody can read. Speaks to the log itself with the managers' credentials, as there is no
// leader while it stands in the way. Without PORTOLAN_NATS_… in the environment: the cluster that npm start runs.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const env = process.env;
const credentials = join(env.PORTOLAN_HOME ?? join(root, '.portolan'), 'credentials', 'manager.json');
if (env.PORTOLAN_NATS_URL === undefined && existsSync(credentials)) {
  env.PORTOLAN_NATS_URL = `nats://127.0.0.1:${env.PORTOLAN_NATS_PORT ?? 7422}`;
  env.PORTOLAN_NATS_CREDENTIALS ??= credentials;
}
const main = join(root, 'dist', 'apps', 'switch-manager', 'src', 'repudiate.main.js');
if (existsSync(main)) {
  await import(main);
} else {
  process.stderr.write('portolan is not built yet: run npm start once\n');
  process.exitCode = 1;
}
