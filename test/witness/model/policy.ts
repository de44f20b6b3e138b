import { type Policy } from '#domain';
import { type GroupSpec, type PortSpec, type SwitchSpec } from './world.js';

/** What holds where nobody said anything. Teaming has to be said: what it is by default is the centre's affair. */
const UNSAID: Omit<Policy, 'teaming'> = {
  vlan: { mode: 'none' },
  blocked: false,
  promiscuous: false,
  macChanges: false,
  forgedTransmits: false,
  macs: { extra: [], shared: [] },
  macLearning: null,
  addresses: null,
  shapingIn: null,
  shapingOut: null,
  filter: { stateful: false, default: 'allow', rules: [] },
  bandwidth: null,
  ipfix: false,
};

/** Field by field: switch, group, and the port where its group lets it. */
export function policyOf(sw: SwitchSpec, group: GroupSpec, port: PortSpec): Policy {
  const own = Object.fromEntries(
    Object.entries(port.override).filter(([field]) =>
      (group.overridable as readonly string[]).includes(field),
    ),
  );
  const policy = { ...UNSAID, ...sw.policy, ...group.policy, ...own };
  if (policy.teaming === undefined) throw new Error(`nobody says how switch ${sw.name} teams`);
  return policy as Policy;
}
