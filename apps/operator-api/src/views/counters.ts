import { type DirectionCounters, type RawCounters } from '#domain';
import { type UplinkCounts } from '#contracts/http';
import { type DeviceLook } from '../live/live-store.js';
import { iso } from './time.js';

export interface Sum {
  readonly packets: number;
  readonly bytes: number;
}

export const sumOf = (d: DirectionCounters): Sum => ({
  packets: d.unicast.packets + d.multicast.packets + d.broadcast.packets,
  bytes: d.unicast.bytes + d.multicast.bytes + d.broadcast.bytes,
});

export const plus = (a: Sum, b: Sum): Sum => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes });
export const NO_SUM: Sum = { packets: 0, bytes: 0 };

export interface Rates {
  readonly in: Rate;
  readonly out: Rate;
}
interface Rate {
  readonly packetsPerSecond: number;
  readonly bitsPerSecond: number;
}

/** Null where no time passed. A counter that fell is another incarnation and can't come here; held at 0 all the same. */
export function ratesOf(before: RawCounters, after: RawCounters, ms: number): Rates | null {
  if (ms <= 0) return null;
  const rate = (a: DirectionCounters, b: DirectionCounters): Rate => ({
    packetsPerSecond: Math.max(0, ((sumOf(b).packets - sumOf(a).packets) * 1000) / ms),
    bitsPerSecond: Math.max(0, ((sumOf(b).bytes - sumOf(a).bytes) * 8000) / ms),
  });
  return { in: rate(before.in, after.in), out: rate(before.out, after.out) };
}

/** Of a device; null too where its counts began anew in between. */
function deviceRates({ now, previous }: DeviceLook): Rates | null {
  const ms = previous === null ? 0 : now.time - previous.time;
  if (previous === null || ms <= 0) return null;
  if (now.in.packets < previous.in.packets || now.out.packets < previous.out.packets) return null;
  const rate = (way: 'in' | 'out'): Rate => ({
    packetsPerSecond: ((now[way].packets - previous[way].packets) * 1000) / ms,
    bitsPerSecond: (Math.max(0, now[way].bytes - previous[way].bytes) * 8000) / ms,
  });
  return { in: rate('in'), out: rate('out') };
}

export function deviceCounts(look: DeviceLook): UplinkCounts {
  const { in: received, out, dropped, errors, refused = null, time } = look.now;
  return { in: received, out, dropped, errors, refused, rates: deviceRates(look), countedAt: iso(time) };
}

export function addRates(a: Rates | null, b: Rates | null): Rates | null {
  if (a === null || b === null) return a ?? b;
  const rate = (x: Rate, y: Rate): Rate => ({
    packetsPerSecond: x.packetsPerSecond + y.packetsPerSecond,
    bitsPerSecond: x.bitsPerSecond + y.bitsPerSecond,
  });
  return { in: rate(a.in, b.in), out: rate(a.out, b.out) };
}
