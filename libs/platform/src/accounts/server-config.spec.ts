import { unwrap } from '#kernel';
import { KEYS, SUBJECTS } from '#contracts';
import { describe, expect, it } from '@jest/globals';
import { CORE_USERS, hostUser } from './names.js';
import { CORE_EXPORTS, hostImports } from './rights.js';
import { generateServerConfig, SYSTEM_USER, type ServerConfig } from './server-config.js';

const config = (hosts: readonly string[]): ServerConfig => ({
  hosts,
  port: 4222,
  storeDir: '/var/lib/portolan/nats',
  jetstream: {},
  passwords: Object.fromEntries(
    [...CORE_USERS, SYSTEM_USER, ...hosts.map(hostUser)].map((u) => [u, `pw-${u}`]),
  ),
});

describe('generateServerConfig', () => {
  it.each([
    [['A'], 'hosts[0]'],
    [['a.b'], 'hosts[0]'],
    [['ok', 'x"; }'], 'hosts[1]'],
    [['same', 'same'], 'hosts[1]'],
  ])('refuses host names %j by field', (hosts, field) => {
    expect(generateServerConfig(config(hosts))).toMatchObject({ ok: false, error: { details: [{ field }] } });
  });

  it('refuses a user without a password', () => {
    const given = config(['a']);
    const { [hostUser('a')]: _gone, ...passwords } = given.passwords;
    expect(generateServerConfig({ ...given, passwords })).toMatchObject({
      ok: false,
      error: { details: [{ field: 'passwords.host.a' }] },
    });
  });

  it('names no host in the account of another', () => {
    const text = unwrap(generateServerConfig(config(['alpha', 'beta'])));
    const block = text.slice(text.indexOf('  "alpha" {'), text.indexOf('  "beta" {'));
    expect(block).toContain('live.doc.h.alpha.>');
    expect(block).not.toContain('beta');
  });

  it('quotes what comes from outside', () => {
    const text = unwrap(generateServerConfig({ ...config([]), storeDir: '/tmp/a "b" {' }));
    expect(text).toContain('store_dir: "/tmp/a \\"b\\" {"');
  });
});

describe('the rights', () => {
  it('are those of the subjects in the contracts', () => {
    const { streams, services } = hostImports('h1');
    expect(streams).toEqual([
      SUBJECTS.liveHost('h1'),
      SUBJECTS.liveShared,
      SUBJECTS.liveConnections('h1', '*', '*'),
    ]);
    expect(services).toEqual([
      SUBJECTS.directGet('h.h1.>'),
      SUBJECTS.directGet('s.>'),
      SUBJECTS.fact('h1'),
      SUBJECTS.checkpoint('h1'),
      SUBJECTS.report('h1'),
      SUBJECTS.lease('h1'),
      SUBJECTS.telemetry('h1'),
      SUBJECTS.connections('h1', '*', '*'),
    ]);
    expect(KEYS.port('h1', 'p1').startsWith('h.h1.')).toBe(true);
  });

  it('bind every export with a host in it to that token', () => {
    const tokens = [...hostImports('HOST').streams, ...hostImports('HOST').services].map((s) => s.split('.'));
    expect(CORE_EXPORTS.map((e) => e.position)).toEqual(
      tokens.map((t) => (t.includes('HOST') ? t.indexOf('HOST') + 1 : undefined)),
    );
  });
});
