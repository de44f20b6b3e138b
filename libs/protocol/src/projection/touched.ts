import {
  equalJson,
  type GroupName,
  type HostName,
  type MigrationId,
  type PortId,
  type SetName,
  type SwitchName,
} from '#kernel';
import { setsOfPort, type DomainEvent, type PolicyPatch, type State } from '#domain';
import { placements } from './of-port.js';

/** Objects whose documents a commit may change. Too much costs time; too little would be wrong. */
export interface Touched {
  readonly hosts: Set<HostName>;
  readonly switches: Set<SwitchName>;
  readonly groups: Set<GroupName>;
  readonly ports: Set<PortId>;
  readonly sets: Set<SetName>;
  readonly migrations: Set<MigrationId>;
}

export function touchedBy(events: readonly DomainEvent[], before: State, after: State): Touched {
  const touched: Touched = {
    hosts: new Set(),
    switches: new Set(),
    groups: new Set(),
    ports: new Set(),
    sets: new Set(),
    migrations: new Set(),
  };
  for (const event of events) {
    touch(event, touched);
    if (event.type === 'FactsAccepted' && event.abilities !== undefined) arriving(event.host, after, touched);
  }
  spread(touched, before, after);
  return touched;
}

function touch(event: DomainEvent, touched: Touched): void {
  switch (event.type) {
    case 'HostDefined':
    case 'HostRemoved':
      touched.hosts.add(event.name);
      return;
    case 'SwitchDefined':
    case 'SwitchRemoved':
      touched.switches.add(event.name);
      return;
    case 'GroupDefined':
    case 'GroupClosing':
    case 'GroupDeleted':
      touched.groups.add(event.name);
      return;
    case 'AddressSetDefined':
    case 'PortSetDefined':
    case 'SetRemoved':
      touched.sets.add(event.name);
      return;
    case 'PortCreated':
    case 'PortMoved':
    case 'PortOverridden':
    case 'PortDeleted':
    case 'PortConnected':
    case 'PortDisconnected':
    case 'PortBound':
    case 'PortUnbound':
    case 'StandbyGranted':
    case 'StandbyRevoked':
    case 'StandbyReady':
    case 'PortActivated':
    case 'SegmentOpened':
    case 'SegmentClosed':
    case 'BindingRetired':
      touched.ports.add(event.port);
      return;
    case 'MigrationStarted':
      touched.migrations.add(event.migration.id);
      return;
    case 'MigrationAdvanced':
    case 'HypervisorReported':
      touched.migrations.add(event.migration);
      return;
    case 'FactsAccepted':
      touched.hosts.add(event.host);
      return;
    // Documents say nothing of these: what comes of them for bindings is said by its own event.
    case 'HostDied':
    case 'HostReturned':
    case 'PortClaimed':
    case 'PortReleased':
    case 'PortTakenOver':
    case 'EvacuationStarted':
    case 'EvacuationRefused':
    case 'EvacuationAdvanced':
    case 'FirstFrameNoted':
    case 'CountersReset':
    case 'FactRefused':
    case 'DriftObserved':
    case 'FlappingObserved':
    case 'UplinkChanged':
    case 'UplinkVlansMissed':
    case 'RevisionRealised':
    case 'NumbersRaised':
    case 'SchemaLevelRaised':
      return;
  }
}

/** What its agent can do says whether those who send guests there wait for its word. */
function arriving(host: HostName, { migrations, moving }: State, touched: Touched): void {
  for (const id of moving.values()) if (migrations.get(id)?.destination === host) touched.migrations.add(id);
}

/** From objects to those whose documents mention them. */
function spread(touched: Touched, before: State, after: State): void {
  spreadToSets(touched, before, after);
  for (const name of touched.groups) {
    // Ports move to another switch with their group.
    if (before.groups.get(name)?.switch === after.groups.get(name)?.switch) continue;
    for (const id of after.byGroup.get(name) ?? []) touched.ports.add(id);
  }
  for (const state of [before, after]) {
    for (const id of touched.migrations) {
      const migration = state.migrations.get(id);
      if (migration === undefined) continue;
      touched.hosts.add(migration.source).add(migration.destination);
      for (const { port } of migration.ports) touched.ports.add(port);
    }
    for (const id of touched.ports)
      for (const host of placements(state.ports.get(id)).keys()) touched.hosts.add(host);
    for (const name of touched.switches)
      for (const host of Object.keys(state.switches.get(name)?.members ?? {}))
        touched.hosts.add(host as HostName);
  }
  const comesOrGoes = [...touched.groups].filter(
    (name) => before.groups.has(name) !== after.groups.has(name),
  );
  if (comesOrGoes.length === 0) return;
  for (const host of after.hosts.values())
    if (comesOrGoes.some((name) => host.preload.includes(name))) touched.hosts.add(host.name);
}

/** Sets of ports tell where the MACs of their members are: what a connectee, a VLAN or extra MACs have a part in. */
function spreadToSets(touched: Touched, before: State, after: State): void {
  if (before.bySetMember.isEmpty() && after.bySetMember.isEmpty()) return;
  const take = (state: State, id: PortId): void => {
    const port = state.ports.get(id);
    if (port !== undefined) for (const name of setsOfPort(state, port)) touched.sets.add(name);
  };
  for (const state of [before, after]) for (const id of touched.ports) take(state, id);
  if (touched.groups.size + touched.switches.size === 0) return;
  for (const [name, group] of after.groups) {
    const was = before.groups.get(name);
    const sw = after.switches.get(group.switch);
    const isTouched = touched.groups.has(name) || touched.switches.has(group.switch);
    if (!isTouched || was === undefined) continue;
    const stays =
      was.switch === group.switch &&
      sameOf(before.switches.get(was.switch)?.policy, sw?.policy) &&
      sameOf(was.policy, group.policy) &&
      equalJson(was.overridable, group.overridable);
    if (!stays) for (const id of after.byGroup.get(name) ?? []) take(after, id);
  }
}

const sameOf = (a: PolicyPatch | undefined, b: PolicyPatch | undefined): boolean =>
  equalJson([a?.vlan ?? null, a?.macs ?? null], [b?.vlan ?? null, b?.macs ?? null]);
