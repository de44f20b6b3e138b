import { describe, expect, it } from '@jest/globals';
import { shrink } from './story/shrink.js';
import { story } from './story/story.js';

/** SEEDS: how many; SEED: from which one on. The nightly size is SEEDS=10000. */
const SEEDS = Number(process.env['SEEDS'] ?? 300);
const FIRST = Number(process.env['SEED'] ?? 1);
const SLICE = 50;
const ACTIONS = 16;

async function holds(seed: number): Promise<number> {
  const outcome = await story({ seed, actions: ACTIONS });
  if (outcome.ok) return outcome.steps;
  const small = await shrink({ seed, actions: ACTIONS }, outcome);
  const again = `node dist/test/simulator/simulator.js --seed ${seed} --actions ${ACTIONS}`;
  throw new Error(
    `${again}${small.how}\n${small.outcome.broken}\n\n${small.outcome.trace.slice(-80).join('\n')}`,
  );
}

describe('managers, coordinators, agents, switches and guests under one seed', () => {
  it('tell the same story by the same seed, to the last step', async () => {
    const [one, two] = [await story({ seed: 7, actions: 20 }), await story({ seed: 7, actions: 20 })];
    expect(two.steps).toBe(one.steps);
    expect(two.trace).toEqual(one.trace);
    expect(one).toMatchObject({ ok: true });
  });

  it('bring everything about when nothing goes wrong', async () => {
    const outcome = await story({ seed: 2, actions: 30, faults: false });
    expect(outcome.broken).toBe('');
    expect(outcome.delivered).toBeGreaterThan(100);
    expect(outcome.migrations['completed']).toBeGreaterThan(2);
  }, 60_000);

  for (let from = FIRST; from < FIRST + SEEDS; from += SLICE) {
    const upTo = Math.min(from + SLICE, FIRST + SEEDS) - 1;
    it(`keep every promise whatever goes wrong: seeds ${from} to ${upTo}`, async () => {
      let steps = 0;
      for (let seed = from; seed <= upTo; seed += 1) steps += await holds(seed);
      expect(steps).toBeGreaterThan(1_000);
    }, 300_000);
  }
});
