import { goto, lookup, match, MULTICAST } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';

/**
 * Source MAC: the port's own, or any unicast one where forged transmits are accepted. Whatever the port announces
 * of itself (RARP, gratuitous ARP) bears its own MAC and passes.
 */
export const security: Feature = {
  name: 'security',
  bridge: (_bridge, out) => {
    out.flow(TABLES.SECURITY, 200, match({ eth_src: MULTICAST }), []);
  },
  port: ({ slot, mac, policy }, out) => {
    const from = { [REG.from]: slot };
    const own = policy.forgedTransmits ? from : { ...from, eth_src: mac };
    out.flow(TABLES.SECURITY, 100, match(own), [...lookup(slot), goto(TABLES.GATE_IN)], slot);
  },
};
