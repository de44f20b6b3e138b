import { describe, expect, it } from '@jest/globals';
import { CommandIndex, DAY_MS, type KnownCommand } from './command-index.js';

const HOUR = 3_600_000;
const known = (at: number): KnownCommand => ({ at, seq: 1, lineage: 'l', revision: 1 }) as never;

describe('how long answers are remembered', () => {
  const fill = (index: CommandIndex, prefix: string, at: number, n = 256): void => {
    for (let i = 0; i < n; i += 1) index.remember(`${prefix}-${i}`, known(at));
  };

  it('for a day of the log', () => {
    const index = new CommandIndex();
    fill(index, 'old', 0);
    for (let hour = 1; hour < 24; hour += 1) index.remember(`hour-${hour}`, known(hour * HOUR));
    fill(index, 'day', DAY_MS);
    expect(index.find('old-0')).toBeDefined();
    fill(index, 'later', DAY_MS + 1);
    expect(index.find('old-0')).toBeUndefined();
    expect(index.find('hour-1')).toBeDefined();
  });

  it('not less when a leader’s clock is set forward: the leap counts as an hour, also after a fork', () => {
    let index = new CommandIndex();
    index.remember('before', known(0));
    fill(index, 'year', 365 * DAY_MS);
    index = index.fork();
    const began = 365 * DAY_MS;
    for (let hour = 1; hour <= 23; hour += 1) fill(index, `hour-${hour}`, began + hour * HOUR);
    expect(index.find('before')).toBeDefined();
    fill(index, 'over', began + 23 * HOUR + 1);
    expect(index.find('before')).toBeUndefined();
    expect(index.find('year-0')).toBeDefined();
    // Nor does a leap that is forgotten itself make what came after it older or younger.
    fill(index, 'end', began + 24 * HOUR);
    expect(index.find('year-0')).toBeDefined();
    fill(index, 'past', began + 24 * HOUR + 1);
    expect(index.find('year-0')).toBeUndefined();
  });
});
