import {
  err,
  ok,
  parseGroupName,
  type HostName,
  parseIfaceId,
  parseUnicastMac,
  type PortId,
  type Result,
} from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refusal } from '../decider/refusal.js';
import { noBandwidth } from '../bandwidth/refusals.js';
import { createPort } from '../group/ports.js';
import { type Connectee, type Group, type State } from '../model/state.js';
import { type PolicyPatch } from '../policy/policy.js';
import { effectiveVlan, macHolder, ownMacs } from './segment.js';

/** A connectee as it comes from outside: its strings are not yet judged. */
export interface RawConnectee {
  readonly kind: Connectee['kind'];
  readonly ifaceId: string;
  readonly mac: string;
  readonly owner: string;
}

export function parseConnectee(raw: RawConnectee): Result<Connectee, Refusal> {
  const ifaceId = parseIfaceId(raw.ifaceId);
  if (!ifaceId.ok) return err(refusal('malformed', 'ifaceId', raw.ifaceId, 'is not an interface id'));
  const mac = parseUnicastMac(raw.mac);
  if (!mac.ok) return err(refusal('malformed', 'mac', raw.mac, 'is not a unicast MAC address'));
  if (typeof raw.owner !== 'string' || raw.owner.length === 0 || raw.owner.length > 256) {
    return err(refusal('malformed', 'owner', raw.owner, 'is not an owner', 'a text of 1 to 256 characters'));
  }
  return ok({ kind: raw.kind, ifaceId: ifaceId.value, mac: mac.value, owner: raw.owner });
}

export function openGroup(state: State, name: string): Result<Group, Refusal> {
  const parsed = parseGroupName(name);
  const group = parsed.ok ? state.groups.get(parsed.value) : undefined;
  if (group === undefined) return err(refusal('no-group', 'group', name, 'is not a known port group'));
  if (group.phase === 'closing')
    return err(refusal('group-closing', 'group', name, 'is closing and takes no more connections'));
  return ok(group);
}

/**
 * Gives a connectee its port in a group: the wanted one, a free static one, one more by auto-expand, or an ephemeral
 * one made for it. Emits what that takes; nothing when refused. `host`: where it is to be bound next.
 */
export function connect(
  draft: Draft,
  group: Group,
  connectee: Connectee,
  wanted?: PortId,
  host?: HostName,
): Result<PortId, Refusal> {
  const free = wanted === undefined ? freePort(draft.state, group) : namedPort(draft.state, group, wanted);
  if (!free.ok) return free;
  const override = free.value === null ? {} : (draft.state.ports.get(free.value)?.override ?? {});
  const duplicate = macTaken(draft.state, group, connectee, override, free.value);
  if (duplicate !== null) return err(duplicate);
  const short = host === undefined ? null : noBandwidth(draft.state, { group: group.name, override }, host);
  if (short !== null) return err(short);
  const port = free.value ?? createPort(draft, group);
  draft.emit({ type: 'PortConnected', port, connectee });
  return ok(port);
}

/** null: one may be made. */
export function freePort(state: State, group: Group): Result<PortId | null, Refusal> {
  const free = state.free.get(group.name)?.first();
  if (free !== undefined) return ok(free);
  const size = state.byGroup.get(group.name)?.size ?? 0;
  if (group.binding === 'static' && !group.autoExpand)
    return err(refusal('group-full', 'group', group.name, `has no free port among its ${size}`));
  if (group.binding === 'ephemeral' && group.ports > 0 && size >= group.ports)
    return err(refusal('group-full', 'group', group.name, `has reached its limit of ${group.ports} ports`));
  return ok(null);
}

function namedPort(state: State, group: Group, wanted: PortId): Result<PortId, Refusal> {
  const port = state.ports.get(wanted);
  if (port === undefined || port.deleted || port.group !== group.name)
    return err(refusal('no-port', 'port', wanted, `is not a port of ${group.name}`));
  if (port.connectee !== null)
    return err(refusal('port-taken', 'port', wanted, `is taken by ${port.connectee.ifaceId}`, 'a free port'));
  return ok(wanted);
}

export function macTaken(
  state: State,
  group: Group,
  connectee: Pick<Connectee, 'mac'>,
  override: PolicyPatch,
  self: PortId | null,
): Refusal | null {
  const vlan = effectiveVlan(state, group, { override });
  for (const mac of ownMacs(state, group, { override }, connectee.mac)) {
    const holder = macHolder(state, group.switch, vlan, mac, self);
    if (holder === undefined) continue;
    const reason = `belongs to port ${holder} in the same segment of ${group.switch}`;
    return refusal('mac-duplicate', 'mac', mac, reason, 'a MAC once per switch and VLAN');
  }
  return null;
}
