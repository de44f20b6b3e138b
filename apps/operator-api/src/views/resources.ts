import {
  featuresOf,
  membersOf,
  setsNamedBy,
  specOfSet,
  type Group,
  type Host,
  type MemberSet,
  type Migration,
  type PolicyPatch,
  type Port,
  type State,
  type Switch,
} from '#domain';
import {
  API_VERSION,
  type GroupView,
  type MigrationView,
  type PortView,
  type SetView,
  type SwitchView,
} from '#contracts/http';
import { iso, isoOrNull } from './time.js';

/** `health`: what hosts found out about it. */
export function switchView(state: State, s: Switch, health: SwitchView['status']['health'] = []): SwitchView {
  const groups = [...state.groups.values()].filter((g) => g.switch === s.name);
  const counts = groups.map((g) => portCounts(state, g));
  const sum = (of: 'ports' | 'connected'): number => counts.reduce((n, c) => n + c[of], 0);
  return {
    apiVersion: API_VERSION,
    kind: s.kind === 'distributed' ? 'DistributedSwitch' : 'StandardSwitch',
    metadata: { name: s.name, version: s.version },
    spec: {
      uplinks: [...s.uplinks],
      mtu: s.mtu,
      policy: s.policy,
      members: Object.fromEntries(
        Object.entries<Readonly<Record<string, string>>>(s.members).map(([h, m]) => [h, { ...m }]),
      ),
      ...featuresOf(s),
    },
    status: { groups: groups.length, ports: sum('ports'), connected: sum('connected'), health: [...health] },
  };
}

function portCounts(state: State, g: Group): { ports: number; connected: number } {
  const ports = state.byGroup.get(g.name)?.size ?? 0;
  return { ports, connected: ports - (state.free.get(g.name)?.size ?? 0) };
}

export function groupView(state: State, g: Group): GroupView {
  return {
    apiVersion: API_VERSION,
    kind: 'PortGroup',
    metadata: { name: g.name, version: g.version },
    spec: {
      switch: g.switch,
      policy: g.policy,
      overridable: [...g.overridable],
      binding: g.binding,
      ports: g.ports,
      autoExpand: g.autoExpand,
      autoShrink: g.autoShrink,
      resetAtDisconnect: g.resetAtDisconnect,
      partitionPolicy: g.partitionPolicy,
      startOffline: g.startOffline,
    },
    status: { phase: g.phase, ...portCounts(state, g) },
  };
}

/** `users`: see `usersBySet`. */
export function setView(state: State, set: MemberSet, users: ReadonlyMap<string, string[]>): SetView {
  const members =
    set.kind === 'addresses'
      ? set.addresses.length
      : membersOf(state, set).reduce((sum, place) => sum + place.macs.length, 0);
  return {
    apiVersion: API_VERSION,
    kind: set.kind === 'addresses' ? 'AddressSet' : 'PortSet',
    metadata: { name: set.name, version: set.version },
    spec: structuredClone(specOfSet(set)) as SetView['spec'],
    status: { members, namedBy: users.get(set.name) ?? [] },
  };
}

/** Whose rules name which set, in one pass. */
export function usersBySet(state: State): ReadonlyMap<string, string[]> {
  const users = new Map<string, string[]>();
  const take = (who: string, policy: PolicyPatch): void => {
    for (const name of setsNamedBy(policy)) users.set(name, [...(users.get(name) ?? []), who]);
  };
  if (state.sets.isEmpty()) return users;
  for (const sw of state.switches.values()) take(`switch ${sw.name}`, sw.policy);
  for (const group of state.groups.values()) take(`group ${group.name}`, group.policy);
  for (const port of state.ports.values()) if (!port.deleted) take(`port ${port.id}`, port.override);
  return users;
}

export function portView(p: Port): PortView {
  const { connectee: c, standby } = p;
  return {
    apiVersion: API_VERSION,
    kind: 'Port',
    metadata: { name: p.id, version: p.version },
    spec: { override: p.override },
    status: {
      state: portState(p),
      group: p.group,
      switch: p.switch,
      epoch: p.epoch,
      connectee: c === null ? null : { kind: c.kind, ifaceId: c.ifaceId, mac: c.mac, owner: c.owner },
      active: p.active === null ? null : { host: p.active.host, epoch: p.active.epoch },
      standby:
        standby === null ? null : { host: standby.host, epoch: standby.epoch, migration: standby.migration },
      retiring: p.retiring.map((b) => ({ host: b.host, epoch: b.epoch })),
      ...(p.claim === undefined ? {} : { claim: { ...p.claim, since: iso(p.claim.since) } }),
    },
  };
}

function portState(p: Port): PortView['status']['state'] {
  if (p.deleted) return 'deleted';
  if (p.standby !== null) return 'migrating';
  if (p.active !== null) return 'bound';
  return p.connectee === null ? 'free' : 'connected';
}

const FINISHED: ReadonlySet<string> = new Set(['completed', 'aborted', 'failed']);
export const isFinished = (m: Migration): boolean => FINISHED.has(m.phase);

/** `now`: for how long an unfinished one runs. */
export function migrationView(m: Migration, now: number): MigrationView {
  const first = m.history[0]?.at ?? now;
  const last = isFinished(m) ? (m.history.at(-1)?.at ?? first) : now;
  return {
    id: m.id,
    origin: m.origin,
    owner: m.owner,
    source: m.source,
    destination: m.destination,
    phase: m.phase,
    finished: isFinished(m),
    episode: m.episode,
    attempt: m.attempt,
    deadline: isoOrNull(m.deadline),
    requestedBy: m.requestedBy,
    asked: m.history[0]?.reason ?? null,
    evacuation: m.evacuation ?? null,
    reason: m.reason,
    ports: m.ports.map((p) => ({ port: p.port, epoch: p.epoch, activated: p.activated })),
    history: m.history.map((step, i) => ({
      phase: step.phase,
      at: iso(step.at),
      revision: step.revision,
      afterMs: i === 0 ? 0 : step.at - (m.history[i - 1]?.at ?? step.at),
      reason: step.reason ?? null,
    })),
    elapsedMs: Math.max(0, last - first),
  };
}

/** Name order as people count: p2 before p10. */
export const byName = (a: string, b: string): number =>
  a.length !== b.length && /^[emp][0-9]+$/.test(a) && /^[emp][0-9]+$/.test(b)
    ? a.length - b.length
    : a < b
      ? -1
      : a > b
        ? 1
        : 0;

export type Named = Host | Switch | Group;
