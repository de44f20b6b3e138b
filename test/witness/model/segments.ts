import { type VlanPolicy } from '#domain';
import { type SwitchSpec } from './world.js';

type Pairs = Pick<SwitchSpec, 'privateVlans'>;

/** Whether a port with this policy hears anything of a segment. */
export function carries(sw: Pairs, vlan: VlanPolicy, segment: number): boolean {
  switch (vlan.mode) {
    case 'none':
      return segment === 0;
    case 'access':
      return segment === vlan.id;
    case 'private':
      return segment === vlan.primary;
    case 'trunk':
      return segment === vlan.native || isInRanges(sw, vlan.ranges, segment);
  }
}

/** A trunk does not carry secondaries. */
export function isInRanges(
  { privateVlans }: Pairs,
  ranges: readonly { readonly from: number; readonly to: number }[],
  vid: number,
): boolean {
  const isSecondary = privateVlans.some((p) => p.secondary === vid && p.primary !== vid);
  return !isSecondary && ranges.some((r) => r.from <= vid && vid <= r.to);
}
