import { goto, lookup, match, MULTICAST } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { sourceMacs } from '../resolve/macs.js';

/**
 * Source MAC: one of the port's own or shared ones, or any unicast one where forged transmits are accepted. Whatever
 * the port announces of itself (RARP, gratuitous ARP) bears its own MAC and passes.
 */
export const security: Feature = {
  name: 'security',
  bridge: (_bridge, out) => {
    out.flow(TABLES.SECURITY, 200, match({ eth_src: MULTICAST }), []);
  },
  port: (port, out) => {
    const { slot, policy } = port;
    const from = { [REG.from]: slot };
    const next = goto(policy.addresses === null ? TABLES.GATE_IN : TABLES.SPOOF);
    const sources = policy.forgedTransmits
      ? [from]
      : sourceMacs(port).map((eth_src) => ({ ...from, eth_src }));
    for (const source of sources)
      out.flow(TABLES.SECURITY, 100, match(source), [...lookup(slot), next], slot);
  },
};
