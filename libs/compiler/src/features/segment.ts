import { goto, match, set, untagToSegment } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { tagMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';
import { nativeOf, taggedRanges } from '../resolve/segments.js';

const UNTAGGED = 0;

/**
 * The VLAN policy says which frames a port may send and which segment they are of. What no flow here takes (tagged
 * on an access port; a foreign VLAN on a trunk, or untagged where it has no native one) is dropped. Ports of a private
 * VLAN have a feature of their own.
 */
export const segment: Feature = {
  name: 'segment',
  port: ({ slot, policy: { vlan }, ranges, secondary }, out) => {
    if (secondary !== undefined) return;
    const from = { [REG.from]: slot };
    const next = goto(TABLES.SECURITY);
    const untagged = (id: number) =>
      out.flow(
        TABLES.SEGMENT,
        100,
        match({ ...from, vlan_vid: UNTAGGED }),
        [set(REG.segment, id), next],
        slot,
      );
    if (vlan.mode !== 'trunk') {
      untagged(ranges[0]?.from ?? 0);
      return;
    }
    const native = nativeOf(vlan);
    if (native !== undefined) untagged(native);
    for (const vlan_vid of tagMatches(taggedRanges(vlan, ranges))) {
      out.flow(TABLES.SEGMENT, 100, match({ ...from, vlan_vid }), [...untagToSegment, next], slot);
    }
  },
};
