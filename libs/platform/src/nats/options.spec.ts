import { describe, expect, it } from '@jest/globals';
import { attempts, RECONNECT_WAIT_MS } from './options.js';

const server = (listen: string) => ({ listen }) as never;
type Choice = { readonly delay: number };

describe('attempts to connect', () => {
  it('come at once after a quiet time, and then between 25 and 250 ms after the one before, each server for itself', () => {
    let now = 5_000;
    const { reconnectToServer } = attempts(() => now);
    const next = (listen: string): number =>
      (reconnectToServer([server(listen), server('z:1')], null) as unknown as Choice).delay;
    expect(next('a:1')).toBe(0);
    for (let i = 0; i < 20; i += 1) {
      const delay = next('a:1');
      expect(delay).toBeGreaterThanOrEqual(25);
      expect(delay).toBeLessThanOrEqual(RECONNECT_WAIT_MS);
      now += delay;
    }
    expect(next('b:1')).toBe(0);
    now += RECONNECT_WAIT_MS;
    expect(next('a:1')).toBe(0);
  });

  it('do not hang on the wall clock: the client’s own wait is over whatever it says', () => {
    const { reconnectDelayHandler } = attempts();
    expect(Date.now() + 3_600_000 + reconnectDelayHandler()).toBeLessThan(Date.now());
  });
});
