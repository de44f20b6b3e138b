import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { portolan } from '../../apps/cli/src/testing/run.fixture.js';
import { startApi, type Api } from '../../apps/operator-api/src/testing/api.fixture.js';

const QUICKSTART = readFileSync('deploy/examples/quickstart.yaml', 'utf8');

/** The command line against the real application: both ends of the one contract. */
describe('portolan and the operator API', () => {
  let api: Api;
  let folder: string;
  const cli = (line: string, files: Record<string, string> = {}) =>
    portolan(line.split(' '), { server: api.url, files, now: Date.now });
  beforeAll(async () => {
    api = await startApi();
    folder = await mkdtemp(join(tmpdir(), 'portolan-'));
  });
  afterAll(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });

  it('applies the example, twice', async () => {
    const first = await cli('apply -f q.yaml --wait', { 'q.yaml': QUICKSTART });
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(
      /\+ PortGroup\/web created\n[^]*14 ports created: p1 to p14\n.*revision 2\nrealised on 3\/3/,
    );
    expect((await cli('apply -f q.yaml', { 'q.yaml': QUICKSTART })).out).toBe('9 unchanged; revision 2\n');
  });

  it('applies again what get gave, and refuses it when it went stale', async () => {
    const { out } = await cli('get groups -o yaml');
    expect((await cli('apply -f g.yaml', { 'g.yaml': out })).out).toMatch(/^4 unchanged/);
    await cli('apply -f g.yaml', { 'g.yaml': out.replace('id: 10', 'id: 12') });
    const stale = await cli('apply -f g.yaml', { 'g.yaml': out });
    expect(stale.code).toBe(4);
    expect(stale.err).toContain('PortGroup/web metadata.version');
  });

  it('connects, overrides, describes, disconnects', async () => {
    const connected = await cli('port connect --group web --iface a0 --mac 02:00:00:00:00:0a --owner vm-a');
    expect(connected.out).toMatch(/~ Port\/p\d+ changed: connectee/);
    const id = /Port\/(p\d+)/.exec(connected.out)![1]!;
    expect((await cli(`port set ${id} blocked=yes`)).out).toContain('override.blocked');
    const refused = await cli(`port set ${id} vlan=30`);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toMatch(/^error: override\.vlan .*may not be overridden/);
    expect((await cli(`describe port ${id}`)).out).toMatch(/blocked +yes +port/);
    expect((await cli(`port move ${id} db`)).out).toMatch(new RegExp(`~ Port/${id} changed: .*group`));
    expect((await cli(`port move ${id} none`)).code).toBe(3);
    expect((await cli(`port disconnect ${id}`)).code).toBe(0);
    expect((await cli('describe port p999')).code).toBe(3);
  });

  it('tells events and follows them from a revision on', async () => {
    expect((await cli('events --object group/db')).out).toContain('port group db on prod defined');
    const stop = new AbortController();
    let seen = '';
    const ran = await portolan(['events', '--follow', '--from', '2'], {
      server: api.url,
      signal: stop.signal,
      onOut: (text) => {
        seen += text;
        if (seen.includes('vm-a')) stop.abort();
      },
    });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('host alpha defined');
  });

  it('exports a log that replays to the live digest', async () => {
    const file = join(folder, 'log.ndjson');
    expect(await cli(`export -f ${file}`)).toMatchObject({ code: 0, out: '' });
    const replayed = await cli('replay log.ndjson', { 'log.ndjson': await readFile(file, 'utf8') });
    const digest = JSON.parse((await cli('status -o json')).out) as { digest: string };
    expect(replayed.out).toContain(digest.digest);
    expect((await cli('verify ledgers')).out).toMatch(/agree with the log\n.*\n.*shown now/);
    expect((await cli('verify ledgers --as-of 1')).out).toContain('what the log folds to');
    expect((await cli('verify ledgers --as-of 99')).code).toBe(3);
    const log = { 'log.ndjson': await readFile(file, 'utf8') };
    expect((await portolan(['verify', 'ledgers', 'log.ndjson'], { server: api.url, files: log })).code).toBe(
      0,
    );
    expect(await cli('replay log.ndjson', { 'log.ndjson': '{}' })).toMatchObject({ code: 1 });
  });

  it.each([
    'hosts',
    'get switches',
    'get ports',
    'stats',
    'stats --groups',
    'migrations',
    'status',
    'describe group web',
  ])('%s: fits and says something', async (line) => {
    const { code, out, err } = await cli(line);
    expect([code, err]).toEqual([0, '']);
    expect(out.length).toBeGreaterThan(5);
    for (const text of out.split('\n')) expect(text.length).toBeLessThanOrEqual(100);
  });
});
