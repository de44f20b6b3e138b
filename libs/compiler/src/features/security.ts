import { goto, lookup, match, MULTICAST } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { acceptsOthers, sourceMacs } from '../resolve/macs.js';

/**
 * Source MAC: one of the port's own or shared ones, or any unicast one where forged transmits are accepted, or MACs
 * learned (up to the limit: see `learning`). Whatever
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
    const actions = [...lookup(slot), next];
    if (acceptsOthers(policy)) return out.flow(TABLES.SECURITY, 50, match(from), actions, slot);
    for (const eth_src of sourceMacs(port))
      out.flow(TABLES.SECURITY, 100, match({ ...from, eth_src }), actions, slot);
  },
};
