import { type ClassMeters } from './types.js';

/** A slot owns sixteen meter ids. Id 0 is invalid; slots begin at 1. */
const PER_SLOT = 16;

export const countIn = (slot: number): ClassMeters => classes(slot * PER_SLOT);
export const countOut = (slot: number): ClassMeters => classes(slot * PER_SLOT + 3);

/** Shaping stands apart from counting: modifying a meter resets its counts. */
export const SHAPING = { inPeak: 6, inAverage: 7, outPeak: 8, outAverage: 9 } as const;
export type ShapingMeter = keyof typeof SHAPING;

export const shapingMeter = (slot: number, which: ShapingMeter): number => slot * PER_SLOT + SHAPING[which];

/** The slot that a meter id belongs to. */
export const meterSlot = (meter: number): number => Math.floor(meter / PER_SLOT);

const classes = (base: number): ClassMeters => ({ unicast: base, multicast: base + 1, broadcast: base + 2 });
