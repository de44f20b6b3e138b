import { BROADCAST, match, meter, MULTICAST, output, tagSegment } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { countOut } from '../meters.js';
import { isPlugged } from '../resolve/plan.js';

/** The end of the way to a port: count by class, tag on trunks, output. Shaping came before, so only what passed counts. */
export const deliver: Feature = {
  name: 'output',
  port: (port, out) => {
    if (!isPlugged(port)) return;
    const { slot, ofport } = port;
    const ids = countOut(slot);
    const tag = port.policy.vlan.mode === 'trunk' ? tagSegment : [];
    const actions = (id: number) => [meter(id), ...tag, output(ofport)];
    const to = { [REG.to]: slot };
    out.flow(TABLES.OUTPUT, 120, match({ ...to, eth_dst: BROADCAST }), actions(ids.broadcast), slot);
    out.flow(TABLES.OUTPUT, 110, match({ ...to, eth_dst: MULTICAST }), actions(ids.multicast), slot);
    out.flow(TABLES.OUTPUT, 100, match(to), actions(ids.unicast), slot);
  },
};
