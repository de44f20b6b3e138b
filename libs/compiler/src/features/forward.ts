import { goto, lookup, match, set } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { segmentMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';
import { ownMacs } from '../resolve/macs.js';

/**
 * Forwarding by authority: (segment, MAC) of a port of this switch is known, whether it is active here or not; what
 * is not active here is unknown, and unknown goes to the uplink or, from an uplink, nowhere.
 */
export const forward: Feature = {
  name: 'forward',
  bridge: (_bridge, out) => {
    out.flow(TABLES.FORWARD, 0, {}, [goto(TABLES.UNKNOWN)]);
    out.flow(TABLES.RESIDENT, 100, match({ [REG.active]: { value: 1, mask: 1 } }), [goto(TABLES.SNOOP)]);
    out.flow(TABLES.RESIDENT, 0, {}, [goto(TABLES.UNKNOWN)]);
    out.flow(TABLES.UNKNOWN, 100, match({ [REG.from]: 0 }), []);
    out.flow(TABLES.UNKNOWN, 0, {}, [goto(TABLES.TO_PNIC)]);
  },
  port: (port, out) => {
    const { slot } = port;
    const actions = [set(REG.to, slot), ...lookup(slot), goto(TABLES.RESIDENT)];
    for (const segment of segmentMatches(port.ranges))
      for (const eth_dst of ownMacs(port))
        out.flow(TABLES.FORWARD, 200, match({ [REG.segment]: segment, eth_dst }), actions, slot);
  },
};
