import { describe, expect, it } from '@jest/globals';
import { ZERO_COUNTERS, type RawCounters } from '#domain';
import { type MeterStats } from '#openflow';
import { droppedOf, observe, readingOf, type Reading } from './counters.js';

const METERS = {
  in: { unicast: 16, multicast: 17, broadcast: 18 },
  out: { unicast: 19, multicast: 20, broadcast: 21 },
};
const stats = (packets: number, durationMs = 1_000): ReadonlyMap<number, MeterStats> =>
  new Map(
    [16, 17, 18, 19, 20, 21].map((id) => [
      id,
      {
        id,
        packetsIn: BigInt(packets),
        bytesIn: BigInt(packets * 60),
        durationMs,
        dropped: { packets: 0n, bytes: 0n },
      },
    ]),
  );
const raw = (packets: number): RawCounters => readingOf(METERS, stats(packets))?.raw ?? ZERO_COUNTERS;
const reading = (packets: number, durationMs: number): Reading => ({ raw: raw(packets), durationMs });
const ids = { next: () => 'fresh' };
const known = { id: 'old', last: raw(5), lastDurationMs: 10_000, lastAt: 1, closed: false };

describe('six meters as one reading', () => {
  it('adds up by direction and class, and is as old as the youngest', () => {
    const some = new Map(stats(3));
    some.set(20, { ...(some.get(20) as MeterStats), durationMs: 7 });
    expect(readingOf(METERS, some)).toMatchObject({
      durationMs: 7,
      raw: { in: { unicast: { packets: 3, bytes: 180 } } },
    });
  });

  it('is none when one is missing', () => {
    const some = new Map(stats(3));
    some.delete(18);
    expect(readingOf(METERS, some)).toBeUndefined();
  });
});

describe('what policy dropped', () => {
  const passing = { in: 26, out: 27 };
  const withPassing = (passed: number, offered: number, ageMs = 1_000) => {
    const all = new Map(stats(10));
    for (const [id, n] of [
      [26, passed],
      [27, offered],
    ] as const)
      all.set(id, { ...(all.get(16) as MeterStats), id, packetsIn: BigInt(n), durationMs: ageMs });
    return all;
  };
  const dropped = (all: ReadonlyMap<number, MeterStats>) =>
    droppedOf(passing, readingOf(METERS, all) as Reading, all);

  it('is what was sent and not passed on, and what there was and was not handed over', () => {
    expect(dropped(withPassing(23, 37))).toEqual({ in: 7, out: 7 });
  });

  it('is nothing, not less, of frames that go by between two readings', () => {
    expect(dropped(withPassing(31, 29))).toEqual({ in: 0, out: 0 });
  });

  it('is not told by meters that are missing, or of another age than those that count', () => {
    expect(dropped(stats(10))).toBeUndefined();
    expect(dropped(withPassing(2, 3, 100))).toBeUndefined();
  });
});

describe('an incarnation', () => {
  it('opens with the first reading and goes on with larger ones', () => {
    expect(observe(undefined, reading(5, 10), 2, ids)).toMatchObject({
      kind: 'opened',
      incarnation: { id: 'fresh' },
    });
    expect(observe(known, reading(6, 11_000), 2, ids)).toMatchObject({
      kind: 'continued',
      incarnation: { id: 'old', last: raw(6), lastDurationMs: 11_000, lastAt: 2 },
    });
  });

  it.each([
    ['counts fell', reading(4, 11_000)],
    ['the meters are younger than they were', reading(9, 9_000)],
  ])('ends where %s', (_why, now) => {
    expect(observe(known, now, 2, ids)).toMatchObject({
      kind: 'rolled',
      ended: known,
      incarnation: { id: 'fresh' },
    });
  });

  it('takes the switch’s clock as it is: a little younger is the same', () => {
    expect(observe(known, reading(5, 9_800), 2, ids).kind).toBe('continued');
  });
});
