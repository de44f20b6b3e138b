import { type HostName } from '#kernel';
import { refusal, type Refusal } from '../decider/refusal.js';
import { type Host, type Port, type State, type Switch } from '../model/state.js';
import { type VlanPolicy } from '../policy/fields.js';
import { effectivePolicy, type Policy } from '../policy/policy.js';

/** A port, and where it wants to go. */
interface Move {
  readonly port: Port;
  readonly sw: Switch;
  readonly policy: Policy;
  /** Those by which the port may go, a LAG's among them. */
  readonly wanted: readonly string[];
  readonly destination: HostName;
  readonly host: Host | undefined;
  /** Devices of the destination by uplink. */
  readonly mapped: Readonly<Record<string, string>>;
}

/** Why the uplinks of this host are none for the port; empty: they are. What is not known speaks against nothing. */
export function byUplinks(state: State, port: Port, sw: Switch, destination: HostName): readonly Refusal[] {
  const group = state.groups.get(port.group);
  const { policy } = effectivePolicy(
    sw.uplinks,
    sw.policy,
    group?.policy ?? {},
    group?.overridable ?? [],
    port.override,
  );
  const { active, standby } = policy.teaming;
  const wanted = [...active, ...standby].flatMap(
    (name) => sw.lags.find((lag) => lag.name === name)?.uplinks ?? name,
  );
  const [host, mapped] = [state.hosts.get(destination), sw.members[destination] ?? {}];
  const move = { port, sw, policy, wanted, destination, host, mapped };
  return [...liveUplink(move), ...largeFrames(move), ...vlans(move)];
}

/** At least one uplink that the port's teaming allows must have a pNIC there, with its link not known as down. */
function liveUplink({ port, sw, wanted, destination, host, mapped }: Move): readonly Refusal[] {
  const down = host?.downUplinks ?? [];
  if (wanted.some((u) => mapped[u] !== undefined && !down.includes(`${sw.name} ${u}`))) return [];
  const there = Object.keys(mapped);
  const reason =
    there.length === 0 ? `has no uplink on ${destination}` : `has no live uplink on ${destination}`;
  const field = `ports.${port.id}.switch`;
  return [refusal('no-uplink', field, sw.name, reason, `a pNIC with link for one of ${wanted.join(', ')}`)];
}

/** The guest sends frames as large as its switch takes, and by any of these uplinks. */
function largeFrames({ port, sw, wanted, destination, host, mapped }: Move): readonly Refusal[] {
  const mtus = host?.uplinkMtus ?? {};
  return wanted.flatMap((uplink) => {
    const [device, mtu] = [mapped[uplink], mtus[`${sw.name} ${uplink}`]];
    if (device === undefined || mtu === undefined || mtu >= sw.mtu) return [];
    const reason = `is more than uplink ${uplink} (${device}) of ${destination} carries: its MTU is ${mtu}`;
    const expected = `a device with an MTU of at least ${sw.mtu} there, or at most ${mtu} for switch ${sw.name}`;
    return [refusal('mtu', `ports.${port.id}.switch.mtu`, sw.mtu, reason, expected)];
  });
}

/** What the health check found not to get through there, of what the guest says and hears, by any of these uplinks. */
function vlans({ port, sw, policy, wanted, destination, host, mapped }: Move): readonly Refusal[] {
  const missing = sw.healthCheck === null ? {} : (host?.uplinkVlans ?? {});
  return wanted.flatMap((uplink) => {
    const device = mapped[uplink];
    const lacked = device === undefined ? undefined : missing[`${sw.name} ${uplink}`];
    const vlan = lacked?.find((id) => bears(policy.vlan, id));
    if (vlan === undefined) return [];
    const which = vlan === 0 ? 'frames without a tag' : `VLAN ${vlan}`;
    const reason = `is not carried by the physical switch at uplink ${uplink} (${device}) of ${destination}, by its health check`;
    const expected = `a port of the physical switch that carries ${which}`;
    return [refusal('vlan', `ports.${port.id}.policy.vlan`, vlan, reason, expected)];
  });
}

/** A trunk of more VLANs says what it may use, not what it does. */
const WIDEST = 64;

/** Whether a guest's frames bear this tag outside. */
function bears(vlan: VlanPolicy, id: number): boolean {
  switch (vlan.mode) {
    case 'none':
      return id === 0;
    case 'access':
      return id === vlan.id;
    case 'private':
      return id === vlan.primary || id === vlan.secondary;
    case 'trunk':
      return (
        id === vlan.native || vlan.ranges.some(({ from, to }) => to - from < WIDEST && from <= id && id <= to)
      );
  }
}
