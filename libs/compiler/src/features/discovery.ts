import { match, RESERVED, toAgent } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { uplinkMeter } from '../meters.js';

const LLDP = 0x88cc;
/** The longest frame that is not a jumbo one. */
const WHOLE = 1_600;
/** A neighbour speaks every few seconds; a bucket that lets a whole rack's worth through at once. */
const RATE = { unit: 'pktps', rate: 10, burst: 20 } as const;

/** What uplinks bring of LLDP goes to the agent, and nowhere else: it is between neighbours. */
export const discovery: Feature = {
  name: 'discovery',
  bridge: ({ uplinks, heard }, out) => {
    if (!heard.includes('neighbour')) return;
    for (const { key } of uplinks) {
      const id = uplinkMeter(key, 'neighbour');
      out.meter({ id, ...RATE });
      const untagged = match({ [REG.uplink]: key, [REG.segment]: 0, eth_dst: RESERVED, eth_type: LLDP });
      const notice = { kind: 'neighbour', slot: key, epoch: 0 } as const;
      out.flow(TABLES.UPLINK_IN, 200, untagged, [toAgent(notice, { maxLen: WHOLE, meter: id })], key);
    }
  },
};
