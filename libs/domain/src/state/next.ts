import { Set } from 'immutable';
import { problem, ProblemError, type HostName, type PortId } from '#kernel';
import { type Port, type State } from '../model/state.js';
import { macKeys } from '../port/segment.js';

/** The state that `evolve` is about to return: one copy per event, changed in place until it is handed out. */
export type Next = { -readonly [K in keyof State]: State[K] };

/** Written out: a spread of so many fields costs replay more than all else that one event does. */
export function copyOf(s: State): Next {
  return {
    lineage: s.lineage,
    revision: s.revision,
    time: s.time,
    hosts: s.hosts,
    switches: s.switches,
    groups: s.groups,
    ports: s.ports,
    sets: s.sets,
    migrations: s.migrations,
    evacuations: s.evacuations,
    byIface: s.byIface,
    byMac: s.byMac,
    byGroup: s.byGroup,
    free: s.free,
    byHost: s.byHost,
    byOwner: s.byOwner,
    bySetMember: s.bySetMember,
    moving: s.moving,
    deleted: s.deleted,
    realised: s.realised,
    nextPort: s.nextPort,
    nextMigration: s.nextMigration,
    nextEvacuation: s.nextEvacuation,
    epochsFrom: s.epochsFrom,
    schemaLevel: s.schemaLevel,
  };
}

/** What an event names must be there: if it isn't, the log does not fit the code, and the replica must stop. */
export function must<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new ProblemError(problem('internal', `the log names ${what}, which its past does not contain`));
}

export function portOf(next: Next, id: PortId): Port {
  return must(next.ports.get(id), `port ${id}`);
}

/** Stores a port and keeps every index in step; only indexes that the change concerns are touched. */
export function putPort(next: Next, before: Port | undefined, after: Port): void {
  next.ports = next.ports.set(after.id, after);
  indexGroup(next, before, after);
  if (
    before?.connectee !== after.connectee ||
    before?.override !== after.override ||
    before.group !== after.group
  ) {
    indexConnectee(next, before, after);
  }
  if (
    before?.active !== after.active ||
    before.standby !== after.standby ||
    before.retiring !== after.retiring
  ) {
    indexHosts(next, before, after);
  }
}

function indexGroup(next: Next, before: Port | undefined, after: Port): void {
  const { id, group } = after;
  if (before !== undefined && before.group !== group) {
    next.byGroup = next.byGroup.set(before.group, without(next.byGroup.get(before.group), id));
    next.free = next.free.set(before.group, without(next.free.get(before.group), id));
    return indexGroup(next, undefined, after);
  }
  const existed = before !== undefined && !before.deleted;
  if (existed === after.deleted) {
    const all = next.byGroup.get(group) ?? Set<PortId>();
    next.byGroup = next.byGroup.set(group, after.deleted ? all.remove(id) : all.add(id));
  }
  const wasFree = existed && before.connectee === null;
  const isFree = !after.deleted && after.connectee === null;
  if (wasFree !== isFree) {
    const free = next.free.get(group) ?? Set<PortId>();
    next.free = next.free.set(group, isFree ? free.add(id) : free.remove(id));
  }
}

const without = (ids: Set<PortId> | undefined, id: PortId): Set<PortId> => (ids ?? Set<PortId>()).remove(id);

function indexConnectee(next: Next, before: Port | undefined, after: Port): void {
  const old = before?.connectee ?? null;
  const now = after.connectee;
  if (old !== now) {
    if (old !== null) {
      next.byIface = next.byIface.remove(old.ifaceId);
      removeFrom(next, old.owner, after.id);
    }
    if (now !== null) {
      next.byIface = next.byIface.set(now.ifaceId, after.id);
      next.byOwner = next.byOwner.set(now.owner, (next.byOwner.get(now.owner) ?? Set()).add(after.id));
    }
  }
  if (before !== undefined) dropMac(next, before);
  addMac(next, after);
}

function removeFrom(next: Next, owner: string, port: PortId): void {
  const rest = (next.byOwner.get(owner) ?? Set<PortId>()).remove(port);
  next.byOwner = rest.isEmpty() ? next.byOwner.remove(owner) : next.byOwner.set(owner, rest);
}

export function dropMac(next: Next, port: Port): void {
  for (const { key } of macKeys(next, port))
    if (next.byMac.get(key) === port.id) next.byMac = next.byMac.remove(key);
}

export function addMac(next: Next, port: Port): void {
  for (const { key } of macKeys(next, port)) next.byMac = next.byMac.set(key, port.id);
}

/** Hosts where the port has a binding of any role. */
export function hostsOf(port: Port): HostName[] {
  const hosts = port.retiring.map((b) => b.host);
  if (port.active !== null) hosts.push(port.active.host);
  if (port.standby !== null) hosts.push(port.standby.host);
  return hosts;
}

function indexHosts(next: Next, before: Port | undefined, after: Port): void {
  const old = before === undefined ? [] : hostsOf(before);
  const now = hostsOf(after);
  for (const host of old) {
    if (now.includes(host)) continue;
    const rest = (next.byHost.get(host) ?? Set<PortId>()).remove(after.id);
    next.byHost = rest.isEmpty() ? next.byHost.remove(host) : next.byHost.set(host, rest);
  }
  for (const host of now) {
    if (old.includes(host)) continue;
    next.byHost = next.byHost.set(host, (next.byHost.get(host) ?? Set<PortId>()).add(after.id));
  }
}
