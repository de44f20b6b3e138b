import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, ROOT } from './cluster.fixture.js';

/** Said when nats-server runs, and nothing else yet. */
const STARTING = /starting 2 switch-managers/;

describe('a cluster that is told to end while it starts', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'portolan-ended-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const left = (): string[] =>
    execFileSync('ps', ['-axo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((args) => args.includes(dir));

  it.each([
    ['a bench', [join(ROOT, 'dist', 'test', 'bench', 'main.js'), 'command']],
    ['the story of the quick start', [join(ROOT, 'deploy', 'bin', 'start.js'), '--once']],
  ])('%s leaves no server behind, nor its files', async (_what, args) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, TMPDIR: dir } });
    const ran = collect(child);
    try {
      let said = '';
      const starts = new Promise<void>((resolve) => {
        child.stderr.on('data', (text: Buffer) => STARTING.test((said += text.toString())) && resolve());
      });
      await Promise.race([starts, ran]);
      expect(said).toMatch(STARTING);
      child.kill('SIGTERM');
      expect((await ran).code).not.toBe(0);
      expect(left()).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
    if (args.at(-1) === 'command') expect(await readdir(dir)).toEqual([]);
  });
});
