import { describe, expect, it } from '@jest/globals';
import { MUTANTS } from './mutants.js';
import { shrink } from './story/shrink.js';
import { story } from './story/story.js';

/** The seed that finds it, and what it finds. */
const CAUGHT: Readonly<Record<keyof typeof MUTANTS, readonly [number, RegExp]>> = {
  'forgotten mark gap': [2, /claims \d+, but its .* was never so since/],
  'double count': [1, /counted too much/],
  'early activation': [1, /hands frames to the tap of .*, which is at/],
  'lost close': [1, /still retires|is switched/],
  'stale leader appends': [17, /the log can't be read/],
  'report before effective': [4, /though it is blocked|different VLANs/],
  'command done twice': [19, /was done at \d+ and again at/],
  'facts overtake': [13, /still retires|not exact|its port at/],
};
const ACTIONS = 24;
/** A change elsewhere moves what a seed tells: then one of its neighbours finds it. */
const NEIGHBOURS = 25;

describe('a story', () => {
  it('is the same by the same seed, to the last step', async () => {
    const one = await story({ seed: 7, actions: ACTIONS });
    const two = await story({ seed: 7, actions: ACTIONS });
    expect(one.broken).toBe('');
    expect(two.steps).toBe(one.steps);
    expect(two.trace).toEqual(one.trace);
  }, 60_000);

  it('in which nothing goes wrong brings everything about', async () => {
    const outcome = await story({ seed: 2, actions: 30, faults: false });
    expect(outcome.broken).toBe('');
    expect(outcome.delivered).toBeGreaterThan(50);
    expect(outcome.migrations['completed']).toBeGreaterThan(2);
  }, 60_000);

  it('that breaks is shrunk to what the failure needs', async () => {
    const options = { seed: 1, actions: ACTIONS, bugs: MUTANTS['double count']?.() ?? {} };
    const { outcome, how } = await shrink(options, await story(options), 12);
    expect(outcome.broken).toMatch(/counted too much/);
    expect(how).toMatch(/^ --without [\d,]+$/);
  }, 120_000);
});

describe('a planted fault is found', () => {
  for (const [name, [seed, finding]] of Object.entries(CAUGHT)) {
    it(`${name}: seed ${seed}`, async () => {
      for (let at = seed; at < seed + NEIGHBOURS; at += 1) {
        const outcome = await story({ seed: at, actions: ACTIONS, bugs: MUTANTS[name]?.() ?? {} });
        if (outcome.ok || !finding.test(outcome.broken)) continue;
        expect((await story({ seed: at, actions: ACTIONS })).broken).toBe('');
        return;
      }
      throw new Error(`no seed from ${seed} to ${seed + NEIGHBOURS - 1} finds it`);
    }, 300_000);
  }
});
