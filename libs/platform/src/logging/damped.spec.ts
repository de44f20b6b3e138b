import { describe, expect, it } from '@jest/globals';
import { damped } from './damped.js';

describe('what goes wrong again and again', () => {
  it('is said at once, then once a minute with its number, and at once when it is another thing', () => {
    let now = 0;
    const said: [number, string, number][] = [];
    const tell = damped({ monotonic: () => now }, (reason, times) => said.push([now, reason, times]));
    for (; now <= 120_000; now += 500) tell(new Error('timeout'));
    tell('another');
    expect(said).toEqual([
      [0, 'timeout', 1],
      [60_000, 'timeout', 120],
      [120_000, 'timeout', 120],
      [120_500, 'another', 1],
    ]);
  });
});
