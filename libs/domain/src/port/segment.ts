import { type Mac, type PortId, type SwitchName } from '#kernel';
import { type Group, type Port, type State } from '../model/state.js';
import { type VlanPolicy } from '../policy/fields.js';

const UNTAGGED: VlanPolicy = { mode: 'none' };
type Lookup = Pick<State, 'switches' | 'groups'>;

/** The VLAN that holds for a port: with the extra MACs what of the policy identity (a MAC once per segment) depends on. */
export function effectiveVlan(
  state: Lookup,
  group: Group | undefined,
  port: Pick<Port, 'override'>,
): VlanPolicy {
  if (group === undefined) return UNTAGGED;
  if (port.override.vlan !== undefined && group.overridable.includes('vlan')) return port.override.vlan;
  return group.policy.vlan ?? state.switches.get(group.switch)?.policy.vlan ?? UNTAGGED;
}

/**
 * A trunk is one place of its own here; what it overlaps with is looked for when a MAC is claimed. MACs belong to the
 * primary of a private VLAN: its secondaries hear each other.
 */
function segmentName(vlan: VlanPolicy): string {
  if (vlan.mode === 'trunk') return 'trunk';
  return String(untaggedSegment(vlan));
}

const untaggedSegment = (vlan: Exclude<VlanPolicy, { mode: 'trunk' }>): number =>
  vlan.mode === 'access' ? vlan.id : vlan.mode === 'private' ? vlan.primary : 0;

/** The segments of a trunk, its native VLAN included. */
function* segmentsOf(trunk: Extract<VlanPolicy, { mode: 'trunk' }>): Iterable<number> {
  for (const { from, to } of trunk.ranges) for (let id: number = from; id <= to; id++) yield id;
  if (trunk.native !== undefined) yield trunk.native;
}

const carries = ({ ranges, native }: Extract<VlanPolicy, { mode: 'trunk' }>, id: number): boolean =>
  native === id || ranges.some((r) => r.from <= id && id <= r.to);

/** MACs that are a port's alone: its connectee's, and the extra ones that hold for it. */
export function ownMacs(
  state: Lookup,
  group: Group | undefined,
  port: Pick<Port, 'override'>,
  mac: Mac,
): readonly Mac[] {
  const { macs } = port.override;
  const extra =
    macs !== undefined && group?.overridable.includes('macs') === true
      ? macs.extra
      : ((group?.policy.macs ?? (group && state.switches.get(group.switch)?.policy.macs))?.extra ?? []);
  return extra.length === 0 ? [mac] : [...new Set([mac, ...extra])];
}

/** Keys of a connected port in `byMac`, with the MAC of each; none when nothing is connected. */
export function macKeys(state: Lookup, port: Port): readonly { readonly mac: Mac; readonly key: string }[] {
  if (port.connectee === null) return [];
  const group = state.groups.get(port.group);
  const segment = segmentName(effectiveVlan(state, group, port));
  return ownMacs(state, group, port, port.connectee.mac).map((mac) => ({
    mac,
    key: `${port.switch} ${segment} ${mac}`,
  }));
}

/** Another port that holds this MAC in a segment that `vlan` reaches; undefined: none. */
export function macHolder(
  state: State,
  sw: SwitchName,
  vlan: VlanPolicy,
  mac: Mac,
  self: PortId | null,
): PortId | undefined {
  const held = (segment: string): PortId | undefined => {
    const port = state.byMac.get(`${sw} ${segment} ${mac}`);
    return port === self ? undefined : port;
  };
  const direct = held(segmentName(vlan));
  if (direct !== undefined) return direct;
  if (vlan.mode === 'access' || vlan.mode === 'private') {
    const trunk = held('trunk');
    if (trunk === undefined) return undefined;
    const other = state.ports.get(trunk);
    const its = other === undefined ? UNTAGGED : effectiveVlan(state, state.groups.get(other.group), other);
    return its.mode === 'trunk' && carries(its, untaggedSegment(vlan)) ? trunk : undefined;
  }
  if (vlan.mode === 'trunk') {
    for (const id of segmentsOf(vlan)) {
      const access = held(String(id));
      if (access !== undefined) return access;
    }
  }
  return undefined;
}
