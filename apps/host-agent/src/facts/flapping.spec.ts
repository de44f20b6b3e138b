import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Fact } from '#domain';
import { ManualClock } from '../agent.fixture.js';
import { Flapping } from './flapping.js';

describe('what flaps', () => {
  let clock: ManualClock;
  let facts: Fact[];
  let flapping: Flapping<string>;
  let told: ReadonlyMap<string, string>;
  let real: ReadonlyMap<string, string>;
  let edges: number;
  let bound: Set<string>;

  beforeEach(() => {
    clock = new ManualClock();
    facts = [];
    edges = 0;
    bound = new Set(['a']);
    told = real = new Map([['a', 'plugged']]);
    flapping = new Flapping(clock, 'interface', (fact) => facts.push(fact), look);
  });

  const look = (): void => {
    const next = flapping.damped(told, real, bound);
    if (next.get('a') !== told.get('a')) edges += 1;
    told = next;
  };
  const set = (plugged: boolean): void => {
    real = new Map(plugged ? [['a', 'plugged']] : []);
    look();
  };

  it('is told as it is as long as it happens now and then', () => {
    for (let i = 0; i < 20; i += 1) {
      set(i % 2 === 1);
      clock.advance(60_000);
    }
    expect(edges).toBe(20);
    expect(facts).toEqual([]);
  });

  it('at 1,000 a second: a few edges, then one line a minute, and what it came to when it is quiet', () => {
    for (let ms = 0; ms < 150_000; ms += 1) {
      set(ms % 2 === 1);
      clock.advance(1);
    }
    expect(edges).toBeLessThanOrEqual(16);
    expect(told.has('a')).toBe(true);
    expect(facts).toHaveLength(2);
    set(false);
    clock.advance(5_000);
    expect(told.has('a')).toBe(false);
    const counted = facts.map((f) => (f.type === 'Flapping' ? f.count : 0));
    expect(counted).toHaveLength(3);
    expect(counted.reduce((a, b) => a + b)).toBeGreaterThan(149_000);
    expect(facts[0]).toMatchObject({ type: 'Flapping', object: 'interface/a' });
  });

  it('without a port here it is taken for absent meanwhile', () => {
    bound.clear();
    for (let ms = 0; ms < 10_000; ms += 1) {
      set(ms % 2 === 1);
      clock.advance(1);
    }
    expect(edges).toBeLessThanOrEqual(12);
    expect(told.has('a')).toBe(false);
    set(true);
    clock.advance(5_000);
    expect(told.has('a')).toBe(true);
  });

  it('that stays away is told within seconds, whatever it did before', () => {
    for (let i = 0; i < 40; i += 1) set(i % 2 === 1);
    set(false);
    expect(told.has('a')).toBe(true);
    clock.advance(4_000);
    expect(told.has('a')).toBe(false);
  });
});
