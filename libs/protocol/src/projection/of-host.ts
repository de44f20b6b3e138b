import { type GroupName, type MigrationId, type PortId } from '#kernel';
import { KEYS, type Arrival, type HostDocument, type MigrationOrder } from '#contracts';
import { isAble, type Host, type Migration, type State } from '#domain';
import { placements } from './of-port.js';
import { type Stamp } from './stamp.js';

/** The host's document. `ports` and `migrations` are candidates: those that do not concern the host are left out. */
export function hostDocument(
  state: State,
  host: Host,
  stamp: Stamp,
  ports: Iterable<PortId>,
  migrations: readonly MigrationId[],
): HostDocument {
  const here = [...new Set(ports)].filter((id) => placements(state.ports.get(id)).has(host.name)).sort();
  const groups = new Set<GroupName>(host.preload);
  for (const id of here) {
    const port = state.ports.get(id);
    if (port !== undefined) groups.add(port.group);
  }
  return {
    type: 'host',
    key: KEYS.host(host.name),
    ...stamp,
    host: host.name,
    switches: memberships(state, host),
    ports: here,
    groups: [...groups].filter((name) => state.groups.has(name)).sort(),
    managementPath: host.managementPath,
    maintenance: host.maintenance,
    foreignFlows: host.foreignFlows,
    acceptedFactSeq: host.facts,
    migrations: orders(state, host, migrations),
    ...arrivals(state, host, migrations),
    confirm: null,
  };
}

function memberships(state: State, host: Host): HostDocument['switches'] {
  const found: HostDocument['switches'][number][] = [];
  for (const it of state.switches.values()) {
    const uplinks = it.members[host.name];
    if (uplinks !== undefined) found.push({ switch: it.name, uplinks });
  }
  return found.sort((a, b) => (a.switch < b.switch ? -1 : 1));
}

function orders(state: State, host: Host, candidates: readonly MigrationId[]): readonly MigrationOrder[] {
  const found: MigrationOrder[] = [];
  for (const id of new Set(candidates)) {
    const migration = state.migrations.get(id);
    const action = migration === undefined ? null : orderOf(migration);
    if (migration === undefined || action === null || migration.source !== host.name) continue;
    const { attempt, owner, destination } = migration;
    const held = isHeld(state, migration) ? ({ held: true } as const) : {};
    found.push({ migration: id, attempt, action, owner, destination, ...held });
  }
  return found.sort(byMigration);
}

/** Absent where there is nothing to say: most documents of hosts have no such field. */
function arrivals(
  state: State,
  host: Host,
  candidates: readonly MigrationId[],
): Pick<HostDocument, 'arrivals'> {
  const found: Arrival[] = [];
  for (const id of new Set(candidates)) {
    const migration = state.migrations.get(id);
    if (migration?.destination !== host.name || migration.phase !== 'moving') continue;
    if (orderOf(migration) === null) continue;
    found.push({ migration: id, attempt: migration.attempt, owner: migration.owner });
  }
  return found.length === 0 ? {} : { arrivals: found.sort(byMigration) };
}

const byMigration = (a: Arrival, b: Arrival): number => (a.migration < b.migration ? -1 : 1);

/**
 * What is active at the destination has been let in there; an agent that can't say when a guest may come is not waited for.
 * Nothing may be begun any more in *unknown*, nor in *switched*: where the source still has the guest, somebody else had
 * brought it there, and it was ended there or brought back since. A source that has just begun says no more than that.
 */
const isHeld = (state: State, { phase, ports, destination }: Migration): boolean =>
  phase === 'unknown' ||
  phase === 'switched' ||
  (isAble(state, destination, 'standby-ready') && ports.some((p) => p.ready !== true && !p.activated));

/**
 * What the source's hypervisor is asked, until it said how that ended: only for migrations that we drive. In *switched*
 * and *unknown* that word is still to come.
 */
function orderOf({ origin, phase, outcome }: Migration): MigrationOrder['action'] | null {
  const ended = outcome === 'completed' || outcome === 'failed' || outcome === 'aborted';
  if (origin !== 'operator' || ended) return null;
  if (phase === 'aborting') return 'abort';
  return phase === 'moving' || phase === 'switched' || phase === 'unknown' ? 'start' : null;
}
