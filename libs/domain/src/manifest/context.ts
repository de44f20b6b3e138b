import { Set as Ids } from 'immutable';
import { detail, equalJson, type HostName, type Mac, type PortId, type ProblemDetail } from '#kernel';
import { type Draft } from '../decider/draft.js';
import {
  type GroupResource,
  type HostResource,
  type PortSetResource,
  type SwitchResource,
} from '../model/resources.js';
import { type Port, type State, type Switch } from '../model/state.js';
import { checkPolicyOnSwitch } from '../policy/check.js';
import { same } from '../policy/same.js';
import { effectiveVlan, macHolder, macKeys } from '../port/segment.js';
import { checkMembers, checkSetsOf } from '../set/check.js';
import { hostsOf } from '../state/next.js';
import { type Item } from './define.js';
import { type Faults } from './faults.js';
import { checkReserved, hostsOfGroup } from './reserved.js';
import { checkMirrored } from './mirrored.js';

/** Judges what changed against everything else, as it is after the whole file. */
export function checkInContext(draft: Draft, changed: readonly Item[], faults: Faults): void {
  for (const { resource, path } of changed) {
    switch (resource.kind) {
      case 'Host':
        checkHost(draft.state, resource, path, faults);
        break;
      case 'DistributedSwitch':
      case 'StandardSwitch':
        checkSwitch(draft, resource, path, faults);
        break;
      case 'PortGroup':
        checkGroup(draft, resource, path, faults);
        break;
      case 'Port':
        checkPort(draft, resource.name, path, faults);
        break;
      case 'PortSet':
        checkPortSet(draft.state, resource, path, faults);
        break;
      case 'AddressSet':
        break;
    }
  }
}

function checkHost(state: State, { spec }: HostResource, path: string, faults: Faults): void {
  spec.preload.forEach((group, i) => {
    if (state.groups.has(group)) return;
    faults.add('refused', detail(`${path}.spec.preload[${i}]`, group, 'is not a known port group'));
  });
}

function checkPortSet(state: State, resource: PortSetResource, path: string, faults: Faults): void {
  const found: ProblemDetail[] = [];
  checkMembers(state, resource, found);
  faults.under('refused', path, found);
}

function checkSwitch(draft: Draft, { name, spec }: SwitchResource, path: string, faults: Faults): void {
  const { state, before } = draft;
  for (const [host, uplinks] of Object.entries(spec.members) as [HostName, Record<string, string>][]) {
    const at = `${path}.spec.members.${host}`;
    if (!state.hosts.has(host)) faults.add('refused', detail(at, host, 'is not a known host'));
    checkNics(state, name, host, uplinks, at, faults);
  }
  const own: ProblemDetail[] = [];
  checkPolicyOnSwitch(spec.policy, spec, 'spec.policy', own);
  checkSetsOf(state, spec.policy.filter, 'spec.policy.filter', own);
  faults.under('refused', path, own);
  const old = before.switches.get(name);
  const now = state.switches.get(name);
  checkMirrored(state, spec.mirrors, name, old?.mirrors ?? [], `${path}.spec.mirrors`, faults);
  if (old === undefined || now === undefined) return;
  checkLeavers(state, old, now, path, faults);
  checkReserved(draft, name, Object.keys(now.members) as HostName[], `${path}.spec.bandwidth`, faults);
  checkDependants(state, old, now, path, faults);
  if (!same(old.policy.vlan, spec.policy.vlan)) {
    for (const group of state.groups.values()) {
      if (group.switch === name) checkMacs(draft, state.byGroup.get(group.name) ?? Ids(), path, faults);
    }
  }
}

function checkNics(
  state: State,
  name: string,
  host: HostName,
  uplinks: Readonly<Record<string, string>>,
  path: string,
  faults: Faults,
): void {
  for (const other of state.switches.values()) {
    if (other.name === name) continue;
    const theirs = Object.values(other.members[host] ?? {});
    for (const [uplink, nic] of Object.entries(uplinks)) {
      if (!theirs.includes(nic)) continue;
      const reason = `belongs to switch ${other.name} on this host`;
      faults.add('refused', detail(`${path}.${uplink}`, nic, reason, 'a pNIC in at most one switch'));
    }
  }
}

/** A host may leave a switch only when no port of the switch is, or is about to be, there. */
function checkLeavers(state: State, old: Switch, now: Switch, path: string, faults: Faults): void {
  for (const host of Object.keys(old.members) as HostName[]) {
    if (now.members[host] !== undefined) continue;
    const ports = (state.byHost.get(host) ?? Ids<PortId>()).filter((id) => {
      const port = state.ports.get(id);
      return port?.switch === now.name && (port.active?.host === host || port.standby?.host === host);
    });
    if (ports.isEmpty()) continue;
    const reason = `still has the ports ${names(ports)} of this switch`;
    faults.add('refused', detail(`${path}.spec.members.${host}`, host, reason, 'a host without ports here'));
  }
}

/** What the switch no longer offers must not be in use by groups and ports that were judged before. */
function checkDependants(state: State, old: Switch, now: Switch, path: string, faults: Faults): void {
  if (offersAll(now, old) && now.mtu <= old.mtu) return;
  const report = (who: string, policy: Port['override']): void => {
    const found: ProblemDetail[] = [];
    checkPolicyOnSwitch(policy, now, who, found);
    for (const d of found) {
      const said = `${d.field} ${d.reason}`;
      const field = OFFERED_FOR.find(([part]) => said.includes(part))?.[1] ?? 'mtu';
      faults.add('refused', { ...d, field: `${path}.spec.${field}`, reason: said });
    }
  };
  for (const group of state.groups.values()) {
    if (group.switch !== now.name) continue;
    report(`group ${group.name}: policy`, group.policy);
    for (const id of state.byGroup.get(group.name) ?? Ids<PortId>()) {
      const port = state.ports.get(id);
      if (port !== undefined) report(`port ${id}: override`, port.override);
    }
  }
}

/** What a switch offers, by what is said of the part of a policy that needs it. */
const OFFERED_FOR = [
  [' of mirror ', 'mirrors'],
  ['.teaming.', 'uplinks'],
  ['.vlan', 'privateVlans'],
  ['.ipfix', 'ipfix'],
] as const;

/** Everything that policies could name before they still can, and nothing became private. */
const offersAll = (now: Switch, old: Switch): boolean =>
  old.uplinks.every((u) => now.uplinks.includes(u)) &&
  (now.ipfix !== null || old.ipfix === null) &&
  old.lags.every(({ name }) => now.lags.some((lag) => lag.name === name)) &&
  equalJson(now.privateVlans, old.privateVlans) &&
  equalJson(mirrorVlans(now), mirrorVlans(old));

const mirrorVlans = ({ mirrors }: Switch): readonly number[] =>
  mirrors.flatMap(({ to }) => ('vlan' in to ? [to.vlan] : []));

function checkGroup(draft: Draft, { name, spec }: GroupResource, path: string, faults: Faults): void {
  const sw = draft.state.switches.get(spec.switch);
  if (sw === undefined) {
    faults.add('refused', detail(`${path}.spec.switch`, spec.switch, 'is not a known switch'));
    return;
  }
  const found: ProblemDetail[] = [];
  checkPolicyOnSwitch(spec.policy, sw, 'spec.policy', found);
  checkSetsOf(draft.state, spec.policy.filter, 'spec.policy.filter', found);
  faults.under('refused', path, found);
  checkMacs(draft, draft.state.byGroup.get(name) ?? Ids(), path, faults);
  const hosts = hostsOfGroup(draft.state, name);
  checkReserved(draft, sw.name, hosts, `${path}.spec.policy.bandwidth`, faults);
}

function checkPort(draft: Draft, id: PortId, path: string, faults: Faults): void {
  const port = draft.state.ports.get(id);
  const sw = port === undefined ? undefined : draft.state.switches.get(port.switch);
  if (port === undefined || sw === undefined) return;
  const found: ProblemDetail[] = [];
  checkPolicyOnSwitch(port.override, sw, 'spec.override', found);
  checkSetsOf(draft.state, port.override.filter, 'spec.override.filter', found);
  faults.under('refused', path, found);
  checkMacs(draft, [id], path, faults);
  checkReserved(draft, sw.name, hostsOf(port), `${path}.spec.override.bandwidth`, faults);
}

/** Ports that came into another segment must not meet their own MAC there. */
function checkMacs(draft: Draft, ids: Iterable<PortId>, path: string, faults: Faults): void {
  const { before, state } = draft;
  for (const id of ids) {
    const port = state.ports.get(id);
    if (port === undefined || port.connectee === null) continue;
    const was = before.ports.get(id);
    const had = was === undefined ? [] : macKeys(before, was).map(({ key }) => key);
    for (const { key, mac } of macKeys(state, port)) {
      if (had.includes(key) && !isTrunk(state, port)) continue;
      const holder = heldBy(draft, port, key, mac);
      if (holder === undefined) continue;
      const reason = `of port ${id} would meet port ${holder} with the same MAC in one segment`;
      faults.add('refused', detail(path, mac, reason, 'a MAC once per switch and VLAN'));
    }
  }
}

/** The index holds one port a key: whoever held this one before and still belongs there was displaced. */
function heldBy({ before, state }: Draft, port: Port, key: string, mac: Mac): PortId | undefined {
  const displaced = before.byMac.get(key);
  const other = displaced === undefined || displaced === port.id ? undefined : state.ports.get(displaced);
  if (other !== undefined && macKeys(state, other).some((its) => its.key === key)) return other.id;
  return macHolder(state, port.switch, vlanOf(state, port), mac, port.id);
}

const vlanOf = (state: State, port: Port) => effectiveVlan(state, state.groups.get(port.group), port);
const isTrunk = (state: State, port: Port): boolean => vlanOf(state, port).mode === 'trunk';

/** Up to five ids, for a sentence. */
export function names(ids: Iterable<string>): string {
  const all = [...ids];
  const more = all.length > 5 ? ` and ${all.length - 5} more` : '';
  return `${all.slice(0, 5).join(', ')}${more}`;
}

export const holdsAt = (port: Port, host: HostName): boolean => hostsOf(port).includes(host);
