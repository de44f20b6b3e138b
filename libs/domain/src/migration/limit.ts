import { type HostName } from '#kernel';
import { refusal, type Refusal } from '../decider/refusal.js';
import { type Migration, type MigrationPhase, type State } from '../model/state.js';

/** Its guest is still to go, or may be: one that switched costs its hosts nothing more. */
const ON_ITS_WAY: ReadonlySet<MigrationPhase> = new Set([
  'admitted',
  'prepared',
  'moving',
  'aborting',
  'unknown',
]);

/** Migrations that keep hosts busy, by host: of guests that leave it and of guests that come. */
export class Traffic {
  readonly leaving = new Map<HostName, Migration[]>();
  readonly arriving = new Map<HostName, Migration[]>();

  constructor(private readonly state: Pick<State, 'hosts' | 'moving' | 'migrations'>) {
    for (const id of new Set(state.moving.values())) {
      const migration = state.migrations.get(id);
      if (migration === undefined || !ON_ITS_WAY.has(migration.phase)) continue;
      add(this.leaving, migration.source, migration);
      add(this.arriving, migration.destination, migration);
    }
  }

  /** How many more may leave, or come. */
  left(way: 'leaving' | 'arriving', host: HostName): number {
    const limit = this.state.hosts.get(host)?.migrationLimit ?? 0;
    return Math.max(0, limit - (this[way].get(host)?.length ?? 0));
  }
}

function add(by: Map<HostName, Migration[]>, host: HostName, migration: Migration): void {
  const all = by.get(host);
  if (all === undefined) by.set(host, [migration]);
  else all.push(migration);
}

/**
 * Which of the two hosts has as many migrations as it takes at once. An operator's request is refused then and not put
 * into a queue: what was admitted now says little of when it would begin. An evacuation is the queue. What somebody else
 * moves is counted, and can't be refused.
 */
export function beyondLimit(state: State, source: HostName, destination: HostName): readonly Refusal[] {
  const traffic = new Traffic(state);
  const busy = (way: 'leaving' | 'arriving', field: string, host: HostName): readonly Refusal[] => {
    if (traffic.left(way, host) > 0) return [];
    const running = (traffic[way].get(host) ?? []).map(({ id }) => id).join(', ');
    const reason = `has as many guests ${way} as it takes at once (${running})`;
    const expected = `one of them to end, or spec.migrationLimit of host ${host} to be raised`;
    return [refusal('limit', `${field}.migrationLimit`, host, reason, expected)];
  };
  return [...busy('leaving', 'source', source), ...busy('arriving', 'destination', destination)];
}
