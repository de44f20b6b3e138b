import { type Mac, type PortId, type SetName, type SwitchName } from '#kernel';
import { type Group, type Port, type PortSet, type State, type Switch } from '../model/state.js';
import { type VlanPolicy } from '../policy/fields.js';
import { type PolicyPatch } from '../policy/policy.js';
import { effectiveVlan, ownMacs } from '../port/segment.js';

/** MACs that stand for ports of a set, by where they mean them. */
export interface SetMembers {
  readonly switch: SwitchName;
  readonly vlan: VlanPolicy;
  /** Sorted; those of a port that are its alone. */
  readonly macs: readonly Mac[];
}

/** What a set of ports comes to now: its connected ports, by switch and VLAN, in a fixed order. */
export function membersOf(state: State, set: PortSet): readonly SetMembers[] {
  const found = new Map<string, { switch: SwitchName; vlan: VlanPolicy; macs: Set<Mac> }>();
  for (const id of portsOf(state, set)) {
    const port = state.ports.get(id);
    if (port === undefined || port.connectee === null) continue;
    const group = state.groups.get(port.group);
    const vlan = effectiveVlan(state, group, port);
    const key = `${port.switch} ${vlanText(vlan)}`;
    const place = found.get(key) ?? { switch: port.switch, vlan, macs: new Set<Mac>() };
    for (const mac of ownMacs(state, group, port, port.connectee.mac)) place.macs.add(mac);
    found.set(key, place);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, place]) => ({ ...place, macs: [...place.macs].sort() }));
}

/** Objects of one meaning may have been made in different orders of their fields. */
const vlanText = (vlan: VlanPolicy): string => JSON.stringify(Object.entries(vlan).sort(byKey));
const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

function portsOf(state: State, { groups, ports, owners }: PortSet): Set<PortId> {
  const ids = new Set(ports);
  for (const name of groups) for (const id of state.byGroup.get(name) ?? []) ids.add(id);
  for (const name of owners) for (const id of state.byOwner.get(name) ?? []) ids.add(id);
  return ids;
}

/** Sets of ports that list a port, its group or its owner. */
export function setsOfPort(state: State, port: Pick<Port, 'id' | 'group' | 'connectee'>): SetName[] {
  const keys = [`port ${port.id}`, `group ${port.group}`];
  if (port.connectee !== null) keys.push(`owner ${port.connectee.owner}`);
  return keys.flatMap((key) => [...(state.bySetMember.get(key) ?? [])]);
}

const known = new WeakMap<readonly unknown[], readonly SetName[]>();

/** Sets that the rules of a policy name, sorted; those of rules that are off, too. */
export function setsNamedBy({ filter }: PolicyPatch): readonly SetName[] {
  if (filter === undefined) return NONE;
  const before = known.get(filter.rules);
  if (before !== undefined) return before;
  const names = new Set<SetName>();
  for (const { match } of filter.rules)
    for (const name of [match.srcSet, match.dstSet]) if (name !== undefined) names.add(name);
  const sorted = names.size === 0 ? NONE : [...names].sort();
  known.set(filter.rules, sorted);
  return sorted;
}

const NONE: readonly SetName[] = [];

/** Who names a set in a rule, in words. */
export function usersOf(state: State, name: SetName): string[] {
  const says = (policy: PolicyPatch): boolean => setsNamedBy(policy).includes(name);
  const of = (kind: string, items: Iterable<Switch | Group>): string[] =>
    [...items].filter(({ policy }) => says(policy)).map((item) => `${kind} ${item.name}`);
  const ports = [...state.ports.values()].filter((p) => !p.deleted && says(p.override));
  return [
    ...of('switch', state.switches.values()).sort(),
    ...of('group', state.groups.values()).sort(),
    ...ports.map(({ id }) => `port ${id}`),
  ];
}
