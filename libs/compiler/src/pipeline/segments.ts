import { maskRange, type Masked, type Range } from '../ranges.js';
import { type Wanted } from './actions.js';

const BITS = 12;
const ALL = 0xfff;

/** The segment register compared with each part of the ranges. */
export function segmentMatches(ranges: readonly Range[]): Wanted[] {
  return masked(ranges).map(({ value, mask }) => (mask === ALL ? value : { value, mask }));
}

/** vlan_vid compared with each part of the ranges; a tag must be present. */
export function tagMatches(ranges: readonly Range[]): Wanted[] {
  return masked(ranges).map(({ value, mask }) =>
    mask === ALL ? value | 0x1000 : { value: value | 0x1000, mask: mask | 0x1000 },
  );
}

const masked = (ranges: readonly Range[]): Masked[] => ranges.flatMap((range) => maskRange(range, BITS));
