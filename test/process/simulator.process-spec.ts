import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** SEEDS=10000 is the nightly size; SEED says where to begin. */
const SEEDS = Number(process.env['SEEDS'] ?? 300);
const FIRST = Number(process.env['SEED'] ?? 1);
const PROGRAM = join(process.cwd(), 'dist', 'test', 'simulator', 'simulator.js');
const PARTS = 2;

/** Outside of jest: its modules are slower, and a story is nothing but work. What it printed, and how it ended. */
function simulate(from: number, seeds: number): Promise<{ readonly code: number; readonly said: string }> {
  const args = ['--max-semi-space-size=64', PROGRAM, '--from', `${from}`, '--seeds', `${seeds}`];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, said: stdout + stderr });
    });
  });
}

describe('every promise, in the simulator,', () => {
  it(`is kept whatever goes wrong: seeds ${FIRST} to ${FIRST + SEEDS - 1}`, async () => {
    const share = Math.ceil(SEEDS / PARTS);
    const parts = Array.from({ length: PARTS }, (_, i) => {
      const from = FIRST + i * share;
      return simulate(from, Math.min(share, FIRST + SEEDS - from));
    });
    for (const { code, said } of await Promise.all(parts)) if (code !== 0) throw new Error(said);
    expect(parts).toHaveLength(PARTS);
  }, 3_600_000);
});
