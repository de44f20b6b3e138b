import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stateDigest } from '#event-store';
import { clusterRules, stateCodec } from '#runtime';
import { freePort } from '#testing';
import { signingKey, startOnce } from '../bench/cold-start/manager.js';
import { withWorld, writerOf, type World } from '../bench/cold-start/world.js';
import { ClusterLife, live } from '../bench/support/life.js';
import { LIMIT_MS, node, ROOT, type Ran } from './cluster.fixture.js';

/** Written by a clock of months ago, so all of it but the last day is old enough to be archived. */
const COMMITS = 400;

let world: World;
let dir: string;
let digest: string;
let end: () => void;
let ended: Promise<void>;

beforeAll(async () => {
  const ready = new Promise<World>((resolve, reject) => {
    ended = withWorld(async (it) => {
      const sequencer = await writerOf(it.log);
      const life = new ClusterLife({ hosts: 5, ports: 50, groups: 5 });
      await life.build(sequencer);
      await live(life, sequencer, COMMITS);
      await sequencer.close();
      digest = stateDigest(sequencer.state, stateCodec, clusterRules.hash);
      resolve(it);
      await new Promise<void>((done) => (end = done));
    });
    ended.catch(reject);
  });
  world = await ready;
  dir = join(world.home, 'archive');
}, LIMIT_MS);
afterAll(async () => {
  end?.();
  await ended;
});

const environment = (archive?: string): NodeJS.ProcessEnv => ({
  PORTOLAN_NATS_URL: world.server.url,
  ...(archive === undefined ? {} : { PORTOLAN_ARCHIVE_DIR: archive }),
});
const archive = (...args: string[]): Promise<Ran> =>
  node([join(ROOT, 'deploy', 'bin', 'archive.js'), ...args], environment(dir));

/** An API until `wanted` stands in one of its lines of log. */
async function api(
  wanted: string,
  archived?: string,
): Promise<{ child: ChildProcess; line: string; url: string }> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'apps', 'operator-api', 'src', 'main.js')], {
    env: { ...process.env, ...environment(archived), PORTOLAN_API_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes(wanted)) continue;
    child.stdout.resume();
    return { child, line, url: `http://127.0.0.1:${port}` };
  }
  throw new Error(`the API ended without saying ${wanted}`);
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  await gone;
}

describe('the archive of a cluster', () => {
  it('begins empty, and takes nothing that is young', async () => {
    expect((await archive('list')).out).toContain('the stream holds messages 1 to');
    const young = await archive('seal', '--days', '0', '--reason', 'now');
    expect([young.code, young.err]).toEqual([1, expect.stringContaining('days 0: is too short')]);
  });

  it('goes into files, out of the stream, and reads as one with it', async () => {
    const sealed = await archive('seal', '--days', '30', '--reason', 'a year is over');
    expect(sealed).toMatchObject({ code: 0, err: '' });
    expect(sealed.out).toContain('archive and stream');
    expect((await readdir(dir)).sort()).toHaveLength(3);
    const last = await world.log.last();
    const trimmed = await archive('trim');
    expect(trimmed.out).toContain(`taken out of the stream: ${last - 1} messages`);
    expect(await world.log.begins()).toMatchObject({ first: last });
    const verified = await archive('verify');
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.out).toContain(`come to the state ${digest}`);
  });

  it('lets a new manager and a new API begin, which serves and replays all of the log', async () => {
    const key = await signingKey(world.home);
    const stateDir = join(world.home, 'manager');
    const env = environment(dir);
    expect(await startOnce(world.server.url, key, stateDir, env, join(ROOT, 'dist'))).toMatchObject({
      digest,
    });
    const { child, url } = await api('listening', dir);
    try {
      const text = await (await fetch(`${url}/v1/log/export`)).text();
      expect(text.trim().split('\n')).toHaveLength(await world.log.last());
      const report = await (await fetch(`${url}/v1/replay`, { method: 'POST', body: text })).json();
      expect(report).toMatchObject({ digest });
    } finally {
      await stop(child);
    }
  });

  it('is named to those who lack it, or whose is damaged, with the reason', async () => {
    const [name] = (await readdir(dir)).filter((n) => /^log-[\d-]+\.json$/.test(n));
    const segment = name!.replace('.json', '');
    const without = await api('the log is not there yet');
    expect(without.line).toContain(segment);
    await stop(without.child);

    const copy = join(world.home, 'copy');
    await cp(dir, copy, { recursive: true });
    const bytes = await readFile(join(copy, `${segment}.ndjson.gz`));
    await writeFile(join(copy, `${segment}.ndjson.gz`), bytes.subarray(0, -10));
    const refused = await node([join(ROOT, 'deploy', 'bin', 'archive.js'), 'verify'], environment(copy));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`archive segment ${segment} is damaged`);
    expect(refused.err).toContain(`not ${bytes.length}`);
  });
});
