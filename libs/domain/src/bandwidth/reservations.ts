import { Set as Ids } from 'immutable';
import { type HostName, type PortId } from '#kernel';
import { type Group, type Port, type State, type Switch } from '../model/state.js';
import { TRAFFIC_CLASSES, type Bandwidth } from '../policy/fields.js';

/** How much of an uplink may be promised where the switch does not say, in percent. */
const RESERVABLE = 75;

/** What of a port decides about its bandwidth. */
export type Reserving = Pick<Port, 'id' | 'group' | 'override'>;

/** Why a host can't promise as much as it would have to. */
export interface OverPromised {
  readonly reason: string;
  readonly expected: string;
  /** What would be promised, in bit/s. */
  readonly total: number;
}

export function effectiveBandwidth(
  { switches }: Pick<State, 'switches'>,
  group: Group | undefined,
  { override }: Pick<Reserving, 'override'>,
): Bandwidth | null {
  if (group === undefined) return null;
  if (override.bandwidth !== undefined && group.overridable.includes('bandwidth')) return override.bandwidth;
  const own = group.policy.bandwidth;
  return (own === undefined ? switches.get(group.switch)?.policy.bandwidth : own) ?? null;
}

export const reservationOf = (state: State, port: Pick<Reserving, 'group' | 'override'>): number =>
  effectiveBandwidth(state, state.groups.get(port.group), port)?.reservation ?? 0;

/**
 * Null: a host can promise what the ports of a switch there, and these as they are to be, are sure of. Any of its
 * uplinks may be the only one left, so the slowest one says how much there is.
 */
export function overPromised(
  state: State,
  sw: Switch,
  host: HostName,
  coming: readonly Reserving[] = [],
): OverPromised | null {
  const sums = new Map<string, number>();
  for (const port of [...staying(state, sw, host, coming), ...coming]) {
    const said = effectiveBandwidth(state, state.groups.get(port.group), port);
    if (said === null || said.reservation === 0) continue;
    sums.set(said.class, (sums.get(said.class) ?? 0) + said.reservation);
  }
  let total = 0;
  for (const name of TRAFFIC_CLASSES) {
    const ports = sums.get(name) ?? 0;
    const own = sw.bandwidth?.classes[name]?.reservation ?? 0;
    total += Math.max(own, ports);
    if (own === 0 || ports <= own) continue;
    const reason = `would promise its ports of class ${name} ${ports} bit/s`;
    return { reason, expected: `at most the ${own} that are reserved for the class`, total: ports };
  }
  return total === 0 || sums.size === 0 ? null : overUplinks(state, sw, host, total);
}

function overUplinks(state: State, sw: Switch, host: HostName, total: number): OverPromised | null {
  const uplinks = Object.keys(sw.members[host] ?? {});
  if (uplinks.length === 0)
    return { reason: `would promise ${total} bit/s and has no uplink`, expected: 'no reservation', total };
  const speeds = state.hosts.get(host)?.uplinkSpeeds ?? {};
  const unknown = uplinks.find((uplink) => speeds[`${sw.name} ${uplink}`] === undefined);
  if (unknown !== undefined)
    return {
      reason: `would promise ${total} bit/s by uplink ${unknown}, whose speed is not known`,
      expected: 'an uplink that tells its speed',
      total,
    };
  const percent = sw.bandwidth?.reservable ?? RESERVABLE;
  const slowest = Math.min(...uplinks.map((uplink) => speeds[`${sw.name} ${uplink}`] ?? 0));
  const most = (slowest * percent) / 100;
  if (total <= most) return null;
  const expected = `at most ${most}: ${percent} % of its slowest uplink`;
  return { reason: `would promise ${total} bit/s`, expected, total };
}

function* staying(
  state: State,
  sw: Switch,
  host: HostName,
  coming: readonly Reserving[],
): Iterable<Reserving> {
  const others = new Set(coming.map(({ id }) => id));
  for (const id of state.byHost.get(host) ?? Ids<PortId>()) {
    const port = state.ports.get(id);
    if (port?.switch !== sw.name || others.has(id)) continue;
    if (port.active?.host === host || port.standby?.host === host) yield port;
  }
}
