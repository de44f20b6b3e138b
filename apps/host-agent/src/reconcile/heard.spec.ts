import { describe, expect, it } from '@jest/globals';
import { FEATURE_CODES, TABLES } from '#compiler';
import { LEARNED_OWNER, makeCookie, type Flow, type Observation } from '#openflow';
import { isCache, withoutCache } from './heard.js';

const flow = (table: number, owner?: number): Flow => ({
  table,
  priority: 1,
  match: {},
  actions: [],
  cookie: makeCookie({
    feature: FEATURE_CODES.learning,
    object: 1,
    round: 7,
    ...(owner === undefined ? {} : { owner }),
  }),
});
const address = flow(TABLES.LEARNED_DST, LEARNED_OWNER);
const fact = flow(TABLES.ACTIVITY, LEARNED_OWNER);
const ours = flow(TABLES.FORWARD);
const told = (...flows: readonly Flow[]) =>
  ({
    kind: 'flows',
    bridge: 'br',
    changes: flows.map((f) => ({ change: 'removed' as const, flow: f })),
  }) as const;

describe('rows that the switch learns for itself', () => {
  it('are no news when they come and go, unlike what it learned of ports', () => {
    expect(isCache(told(address, address))).toBe(true);
    expect(isCache(told(fact))).toBe(false);
    expect(isCache(told(address, ours))).toBe(false);
  });

  it('are not planned by', () => {
    const stats = [address, fact, ours].map((f) => ({ flow: f, packets: 0n, bytes: 0n, durationMs: 0 }));
    const have = (flows: typeof stats): Observation =>
      ({ bridges: [{ name: 'br', flows }], interfaces: [] }) as unknown as Observation;
    expect(withoutCache(have(stats))).toEqual(have(stats.slice(1)));
    const free = have(stats.slice(1));
    expect(withoutCache(free)).toBe(free);
  });
});
