#!/usr/bin/env node
// Writes a nats-server configuration with Portolan's accounts and rights, and the credentials files of all users.
// Run again with one more host, it keeps what is there and adds what is missing.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ensureCredentials,
  generateServerConfig,
  writePrivate,
} from '../../dist/libs/platform/src/accounts/index.js';

const USAGE =
  'usage: generate.js --dir DIR --hosts a,b,... [--port 4222] [--listen ADDRESS] [--http-port N] [--sync-always] [--server-name NAME]\n' +
  '                   [--tls-cert FILE --tls-key FILE [--tls-ca FILE]]\n';

function fail(message) {
  process.stderr.write(`generate.js: ${message}\n${USAGE}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        dir: { type: 'string' },
        hosts: { type: 'string' },
        port: { type: 'string', default: '4222' },
        listen: { type: 'string' },
        'http-port': { type: 'string' },
        'server-name': { type: 'string' },
        'sync-always': { type: 'boolean', default: false },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'tls-ca': { type: 'string' },
      },
    }).values;
  } catch (error) {
    return fail(error.message);
  }
}

function portOf(name, text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    fail(`--${name} ${text}: is not a port; expected 1 to 65535`);
  return port;
}

const given = options();
if (given.dir === undefined || given.hosts === undefined) fail('--dir and --hosts are needed');
const dir = resolve(given.dir);
const hosts = given.hosts.split(',').filter((host) => host !== '');
const tls = given['tls-cert'] !== undefined && {
  certFile: resolve(given['tls-cert']),
  keyFile: resolve(given['tls-key'] ?? fail('--tls-key is needed with --tls-cert')),
  ...(given['tls-ca'] === undefined ? {} : { caFile: resolve(given['tls-ca']) }),
};
const config = {
  hosts,
  port: portOf('port', given.port),
  storeDir: join(dir, 'jetstream'),
  jetstream: { syncAlways: given['sync-always'] },
  ...(given.listen === undefined ? {} : { listen: given.listen }),
  ...(given['server-name'] === undefined ? {} : { serverName: given['server-name'] }),
  ...(given['http-port'] === undefined ? {} : { httpPort: portOf('http-port', given['http-port']) }),
  ...(tls === false ? {} : { tls }),
};
// The names are checked before any file is made.
const dry = generateServerConfig({ ...config, passwords: new Proxy({}, { get: () => '-' }) });
if (!dry.ok) fail(dry.error.message);
mkdirSync(dir, { recursive: true, mode: 0o700 });
const passwords = await ensureCredentials(join(dir, 'credentials'), hosts);
const text = generateServerConfig({ ...config, passwords });
if (!text.ok) fail(text.error.message);
const file = join(dir, 'nats-server.conf');
await writePrivate(file, text.value);
process.stdout.write(
  `${file}\n${join(dir, 'credentials')}/<user>.json for manager, coordinator, api, sys, host.<host>\n`,
);
