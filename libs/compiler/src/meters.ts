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
 * | 14 | frames for the agent: log, reject, membership |
 * | 15 | free |
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
export const OF_PORT = { passedIn: 10, offeredOut: 11, limitIn: 12, limitOut: 13, punt: 14 } as const;
export type PortMeter = keyof typeof OF_PORT;

export const portMeter = (slot: number, which: PortMeter): number => slot * PER_SLOT + OF_PORT[which];

/** Ids above those of all slots belong to the host; both ends included. The switch takes ids to 262,143. */
export const HOST_METERS = {
  /** Uplink key × 4 + traffic class. */
  trafficClass: { from: 256_016, to: 256_399 },
  /** Frames from an uplink for the agent. */
  uplinkPunt: { from: 256_400, to: 256_463 },
  /** Rates of rules, given out like slots. */
  ruleRate: { from: 256_720, to: 262_143 },
} as const;

/** The slot that a meter id belongs to; 0, which is none, of those that belong to the host. */
export function meterSlot(meter: number): number {
  const slot = Math.floor(meter / PER_SLOT);
  return slot > SLOTS ? 0 : slot;
}

const classes = (base: number): ClassMeters => ({ unicast: base, multicast: base + 1, broadcast: base + 2 });
