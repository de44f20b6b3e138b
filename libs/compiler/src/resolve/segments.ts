import { type Policy, type PrivateVlan } from '#domain';
import { type Range } from '../ranges.js';
import { type Refusal } from './interfaces.js';

type Vlan = Policy['vlan'];
type Trunk = Extract<Vlan, { mode: 'trunk' }>;

/** Where a port is: its segments, and what it is in a private VLAN. */
export interface Segments {
  readonly ranges: readonly Range[];
  readonly secondary?: PrivateVlan;
}

/**
 * Segments of a VLAN policy on a switch. A secondary VLAN is no segment of its own: its frames are those of the
 * primary, so an access port can't be in it, and a trunk does not carry it.
 */
export function segmentsOf(vlan: Vlan, map: readonly PrivateVlan[]): Segments | Refusal {
  const taken = map.flatMap(({ primary, secondary }) => (primary === secondary ? [] : [secondary as number]));
  switch (vlan.mode) {
    case 'none':
      return { ranges: [{ from: 0, to: 0 }] };
    case 'access':
      if (taken.includes(vlan.id)) return refuse(`VLAN ${vlan.id} is a secondary one of a private VLAN`);
      return { ranges: [{ from: vlan.id, to: vlan.id }] };
    case 'trunk': {
      const native = nativeOf(vlan);
      if (native !== undefined && taken.includes(native))
        return refuse(`its native VLAN ${native} is a secondary one of a private VLAN`);
      const ranges = without(vlan.ranges, taken);
      const apart = native !== undefined && !isTagged(vlan, native);
      return { ranges: apart ? [...ranges, { from: native, to: native }] : ranges };
    }
    case 'private': {
      const { primary, secondary } = vlan;
      const known = map.find((p) => p.primary === primary && p.secondary === secondary);
      if (known === undefined)
        return refuse(`${primary}/${secondary} is not in the private VLAN map of the switch`);
      return { ranges: [{ from: primary, to: primary }], secondary: known };
    }
  }
}

const refuse = (what: string): Refusal => ({ code: 'vlan-private', reason: `vlan: ${what}` });

/** Segment of what a trunk sends without a tag, and what it gets without one. */
export const nativeOf = ({ native }: Trunk): number | undefined => native;

const isTagged = ({ ranges }: Trunk, id: number): boolean => ranges.some((r) => r.from <= id && id <= r.to);

/** Of the segments of a trunk, those that it may send with a tag: the native one only if its ranges say so. */
export function taggedRanges(vlan: Trunk, ranges: readonly Range[]): readonly Range[] {
  const native = nativeOf(vlan);
  if (native === undefined || isTagged(vlan, native)) return ranges;
  return ranges.filter((r) => r.from !== native);
}

function without(ranges: readonly Range[], taken: readonly number[]): Range[] {
  const cuts = [...taken].sort((a, b) => a - b);
  return ranges.flatMap(({ from, to }) => {
    const parts: Range[] = [];
    let at: number = from;
    for (const cut of cuts) {
      if (cut < at || cut > to) continue;
      if (cut > at) parts.push({ from: at, to: cut - 1 });
      at = cut + 1;
    }
    if (at <= to) parts.push({ from: at, to });
    return parts;
  });
}
