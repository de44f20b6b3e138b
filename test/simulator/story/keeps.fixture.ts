import { expect, it } from '@jest/globals';
import { shrink } from './shrink.js';
import { story } from './story.js';

/** How many seeds a test run plays: SEEDS=10000 is the nightly size. SEED says where to begin. */
export const SEEDS = Number(process.env['SEEDS'] ?? 300);
export const FIRST = Number(process.env['SEED'] ?? 1);
/** Things that happen in one story of a test run. */
export const ACTIONS = 14;
const SLICE = 50;

/** Steps taken; throws with the way to play it again, a shrunk story and the end of its trace when it breaks. */
async function steps(seed: number): Promise<number> {
  const outcome = await story({ seed, actions: ACTIONS });
  if (outcome.ok) return outcome.steps;
  const { how, outcome: small } = await shrink({ seed, actions: ACTIONS }, outcome);
  const again = `node dist/test/simulator/simulator.js --seed ${seed} --actions ${ACTIONS}${how}`;
  throw new Error([again, small.broken, '', ...small.trace.slice(-80)].join('\n'));
}

/** One of two halves of the seeds, in slices: each half is a file, so that two workers share them. */
export function keeps(half: 0 | 1): void {
  for (let from = FIRST; from < FIRST + SEEDS; from += SLICE) {
    if (((from - FIRST) / SLICE) % 2 !== half) continue;
    const upTo = Math.min(from + SLICE, FIRST + SEEDS) - 1;
    it(`is kept whatever goes wrong: seeds ${from} to ${upTo}`, async () => {
      let taken = 0;
      for (let seed = from; seed <= upTo; seed += 1) taken += await steps(seed);
      expect(taken).toBeGreaterThan(1_000);
    }, 600_000);
  }
}
