import { goto, match, set, untagToSegment } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { tagMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';

const UNTAGGED = 0;

/**
 * The VLAN policy says which frames a port may send and which segment they are of. What no flow here takes (tagged
 * on an access port, untagged or a foreign VLAN on a trunk) is dropped.
 */
export const segment: Feature = {
  name: 'segment',
  port: ({ slot, policy: { vlan }, ranges }, out) => {
    const from = { [REG.from]: slot };
    const next = goto(TABLES.SECURITY);
    if (vlan.mode !== 'trunk') {
      const untagged = match({ ...from, vlan_vid: UNTAGGED });
      out.flow(TABLES.SEGMENT, 100, untagged, [set(REG.segment, ranges[0]?.from ?? 0), next], slot);
      return;
    }
    for (const vlan_vid of tagMatches(ranges)) {
      out.flow(TABLES.SEGMENT, 100, match({ ...from, vlan_vid }), [...untagToSegment, next], slot);
    }
  },
};
