import { type Mac, type PortId, type SwitchName } from '#kernel';
import { type Group, type Port, type State } from '../model/state.js';
import { type VlanPolicy } from '../policy/policy.js';

const UNTAGGED: VlanPolicy = { mode: 'none' };
type Lookup = Pick<State, 'switches' | 'groups'>;

/** The VLAN that holds for a port: the only field of the policy that identity (a MAC once per segment) depends on. */
export function effectiveVlan(
  state: Lookup,
  group: Group | undefined,
  port: Pick<Port, 'override'>,
): VlanPolicy {
  if (group === undefined) return UNTAGGED;
  if (port.override.vlan !== undefined && group.overridable.includes('vlan')) return port.override.vlan;
  return group.policy.vlan ?? state.switches.get(group.switch)?.policy.vlan ?? UNTAGGED;
}

/** A trunk is one place of its own here; what it overlaps with is looked for when a MAC is claimed. */
function segmentName(vlan: VlanPolicy): string {
  if (vlan.mode === 'trunk') return 'trunk';
  return vlan.mode === 'access' ? String(vlan.id) : '0';
}

/** Key of a connected port in `byMac`; null when nothing is connected. */
export function macKey(state: Lookup, port: Port): string | null {
  if (port.connectee === null) return null;
  const vlan = effectiveVlan(state, state.groups.get(port.group), port);
  return `${port.switch} ${segmentName(vlan)} ${port.connectee.mac}`;
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
  if (vlan.mode === 'access') {
    const trunk = held('trunk');
    if (trunk === undefined) return undefined;
    const other = state.ports.get(trunk);
    const its = other === undefined ? UNTAGGED : effectiveVlan(state, state.groups.get(other.group), other);
    return its.mode === 'trunk' && its.ranges.some((r) => r.from <= vlan.id && vlan.id <= r.to)
      ? trunk
      : undefined;
  }
  if (vlan.mode === 'trunk') {
    for (const range of vlan.ranges) {
      for (let id: number = range.from; id <= range.to; id++) {
        const access = held(String(id));
        if (access !== undefined) return access;
      }
    }
  }
  return undefined;
}
