import { type DirectionCounters, type PacketsBytes, type RawCounters } from '../model/state.js';

const NOTHING: PacketsBytes = { packets: 0, bytes: 0 };
const NO_DIRECTION: DirectionCounters = { unicast: NOTHING, multicast: NOTHING, broadcast: NOTHING };
export const ZERO_COUNTERS: RawCounters = { in: NO_DIRECTION, out: NO_DIRECTION };

type Fold = (a: number, b: number) => number;

const pair = (a: PacketsBytes, b: PacketsBytes, f: Fold): PacketsBytes => ({
  packets: f(a.packets, b.packets),
  bytes: f(a.bytes, b.bytes),
});

const direction = (a: DirectionCounters, b: DirectionCounters, f: Fold): DirectionCounters => ({
  unicast: pair(a.unicast, b.unicast, f),
  multicast: pair(a.multicast, b.multicast, f),
  broadcast: pair(a.broadcast, b.broadcast, f),
});

const combine = (a: RawCounters, b: RawCounters, f: Fold): RawCounters => ({
  in: direction(a.in, b.in, f),
  out: direction(a.out, b.out, f),
});

export const addCounters = (a: RawCounters, b: RawCounters): RawCounters => combine(a, b, (x, y) => x + y);
/** a − b; the caller has made sure that nothing fell (`atLeast`). */
export const subtractCounters = (a: RawCounters, b: RawCounters): RawCounters =>
  combine(a, b, (x, y) => x - y);

/** `a` since it was `b`; nothing where it is less. */
export const countersSince = (a: RawCounters, b: RawCounters): RawCounters =>
  combine(a, b, (x, y) => Math.max(0, x - y));

const pairAtLeast = (a: PacketsBytes, b: PacketsBytes): boolean =>
  a.packets >= b.packets && a.bytes >= b.bytes;
const directionAtLeast = (a: DirectionCounters, b: DirectionCounters): boolean =>
  pairAtLeast(a.unicast, b.unicast) &&
  pairAtLeast(a.multicast, b.multicast) &&
  pairAtLeast(a.broadcast, b.broadcast);

/** No single value of `a` is below its counterpart in `b`. */
export const atLeast = (a: RawCounters, b: RawCounters): boolean =>
  directionAtLeast(a.in, b.in) && directionAtLeast(a.out, b.out);

export const equalCounters = (a: RawCounters, b: RawCounters): boolean => atLeast(a, b) && atLeast(b, a);

/** Packets of one direction over its three kinds. */
export const packetsOf = (d: DirectionCounters): number =>
  d.unicast.packets + d.multicast.packets + d.broadcast.packets;
export const bytesOf = (d: DirectionCounters): number =>
  d.unicast.bytes + d.multicast.bytes + d.broadcast.bytes;
