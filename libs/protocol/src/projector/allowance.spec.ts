import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Allowance } from './allowance.js';

const GAP = 200;

/** When each of so many is taken, by who wants the next one `thinkMs` after the last. */
function times(allowance: Allowance, count: number, thinkMs: number): number[] {
  let now = 1_000;
  return Array.from({ length: count }, () => {
    now += Math.max(thinkMs, allowance.waitMs(now, GAP));
    allowance.take(now, GAP);
    return now;
  });
}

describe('an allowance', () => {
  it('lets so many through at once, and then one for each gap', () => {
    const taken = times(new Allowance(3), 6, 0);
    expect(taken.map((t) => t - taken[0]!)).toEqual([0, 0, 0, GAP, 2 * GAP, 3 * GAP]);
  });

  it('lets as many through again after a while', () => {
    const it = new Allowance(3);
    const before = times(it, 10, 0);
    expect(it.waitMs(before.at(-1)! + 3 * GAP, GAP)).toBeLessThanOrEqual(-2 * GAP);
  });

  it('never lets more through than the rate and what may come at once', () => {
    const thinks = fc.array(fc.integer({ min: 0, max: 3 * GAP }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), thinks, (atOnce, waits) => {
        const allowance = new Allowance(atOnce);
        const taken: number[] = [];
        let now = 0;
        for (const think of waits) {
          now += think;
          now += Math.max(0, allowance.waitMs(now, GAP));
          allowance.take(now, GAP);
          taken.push(now);
        }
        for (const [i, from] of taken.entries())
          for (const [k, to] of taken.slice(i).entries())
            expect(k + 1).toBeLessThanOrEqual(atOnce + (to - from) / GAP + 1e-9);
      }),
    );
  });
});
