import { type Meter } from '#openflow';
import { type ClassMeters } from './types.js';

/**
 * A slot owns sixteen meter ids. Id 0 is invalid; slots begin at 1.
 *
 * | in the slot | meter |
 * | --- | --- |
 * | 0 to 2, 3 to 5 | counted in and out: unicast, multicast, broadcast |
 * | 6 to 9 | shaping |
 * | 10, 11 | what policy let through of what was sent; what there was to hand over, before policy |
 * | 12, 13 | limits |
 * | 14 | free |
 * | 15 | frames for the agent: membership of multicast groups |
 */
const PER_SLOT = 16;
/** The greatest slot there is: see slots.ts. */
const SLOTS = 16_000;

export const countIn = (slot: number): ClassMeters => classes(slot * PER_SLOT);
export const countOut = (slot: number): ClassMeters => classes(slot * PER_SLOT + 3);

/** Shaping stands apart from counting: modifying a meter resets its counts. */
export const SHAPING = { inPeak: 6, inAverage: 7, outPeak: 8, outAverage: 9 } as const;
export type ShapingMeter = keyof typeof SHAPING;

export const shapingMeter = (slot: number, which: ShapingMeter): number => slot * PER_SLOT + SHAPING[which];

/** The others of a slot. */
export const OF_PORT = {
  passedIn: 10,
  offeredOut: 11,
  limitIn: 12,
  limitOut: 13,
  membership: 15,
} as const;
export type PortMeter = keyof typeof OF_PORT;

export const portMeter = (slot: number, which: PortMeter): number => slot * PER_SLOT + OF_PORT[which];

/** Ids above those of all slots belong to the host; both ends included. The switch takes ids to 262,143. */
export const HOST_METERS = {
  /** Uplink key × 4 + traffic class. */
  trafficClass: { from: 256_016, to: 256_335 },
  /** Beacons that an uplink brings. */
  beacon: { from: 256_336, to: 256_399 },
  /** What uplinks bring of membership in multicast groups, for the agent. */
  membership: { from: 256_463, to: 256_463 },
  /** Frames for whose senders the agent has an answer; those that are told of. */
  reject: { from: 256_464, to: 256_591 },
  log: { from: 256_592, to: 256_719 },
  /** Rates of rules, given out like slots. */
  ruleRate: { from: 256_720, to: 262_015 },
  /** What an uplink brings for the agent has a meter for each kind, so that none has to wait for another. */
  neighbour: { from: 262_016, to: 262_079 },
  probe: { from: 262_080, to: 262_143 },
} as const;

/** Of an uplink, by the number of the class. */
export const classMeter = (uplink: number, trafficClass: number): number =>
  HOST_METERS.trafficClass.from + uplink * 4 + trafficClass;

/** Of an uplink, for what it brings the agent. */
export const uplinkMeter = (uplink: number, kind: 'neighbour' | 'probe' | 'beacon'): number =>
  HOST_METERS[kind].from + uplink - 1;

/** Payload and header of the largest frame, in bytes: a bucket that holds less passes nothing. */
const HEADER = 22;
const MAX_RATE = 0xffff_fffe;

/** Rate in bit/s, what it may hold in bits; never so small a bucket that it can't refill. */
export function bucket(id: number, rate: number, burst: number, mtu: number): Meter {
  const least = Math.max(rate / 1000, (mtu + HEADER) * 8);
  const kilo = (n: number) => Math.min(MAX_RATE, Math.max(1, Math.ceil(n / 1000)));
  return { id, unit: 'kbps', rate: kilo(rate), burst: kilo(Math.max(burst, least)) };
}

/** The slot that a meter id belongs to; 0, which is none, of those that belong to the host. */
export function meterSlot(meter: number): number {
  const slot = Math.floor(meter / PER_SLOT);
  return slot > SLOTS ? 0 : slot;
}

const classes = (base: number): ClassMeters => ({ unicast: base, multicast: base + 1, broadcast: base + 2 });
