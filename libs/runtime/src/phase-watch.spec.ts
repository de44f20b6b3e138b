import { describe, expect, it } from '@jest/globals';
import { type Migration } from '#domain';
import { PhaseWatch } from './phase-watch.js';

const moving = (episode: number, deadline: number | null = 600): Migration =>
  ({ id: 'm1', episode, phase: 'moving', deadline, history: [{ phase: 'moving', at: 100 }] }) as never;

describe('how long phases stand', () => {
  let now = 7;
  const watch = new PhaseWatch({ monotonic: () => now });

  it('counts from the first look at an episode, and anew in the next', () => {
    expect(watch.stood(moving(1))).toBe(0);
    watch.saw(moving(1));
    now += 499;
    watch.saw(moving(1));
    expect(watch.stood(moving(1))).toBe(499);
    expect(watch.isOverdue(moving(1))).toBe(false);
    now += 1;
    expect(watch.isOverdue(moving(1))).toBe(true);
    expect(watch.isOverdue(moving(1, null))).toBe(false);
    watch.saw(moving(2));
    expect(watch.stood(moving(1))).toBe(0);
    expect(watch.isOverdue(moving(2))).toBe(false);
  });

  it('knows nothing more of what no longer runs', () => {
    const other = { ...moving(1), id: 'm2' as never };
    watch.sawAll([moving(2), other]);
    now += 10;
    watch.sawAll([other]);
    expect([watch.stood(moving(2)), watch.stood(other)]).toEqual([0, 10]);
    watch.sawAll([]);
    expect(watch.stood(other)).toBe(0);
  });

  it('knows nothing more of what has ended', () => {
    watch.saw({ ...moving(3), phase: 'completed' });
    now += 1_000;
    expect(watch.stood(moving(2))).toBe(0);
    expect(watch.stood(moving(3))).toBe(0);
  });
});
