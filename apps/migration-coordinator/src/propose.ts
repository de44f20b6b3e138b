import { assertNever, type HostName, type Revision } from '#kernel';
import { runningMigrations, type Command, type Migration, type MigrationPhase, type State } from '#domain';

/** What a host last reported, of the current lineage. */
export interface HostReport {
  readonly realised: Revision;
  /** Ports that it could not carry out, with the reason. */
  readonly exceptions: readonly { readonly port: string | null; readonly reason: string }[];
}

export interface View {
  readonly state: State;
  readonly reports: { get(host: HostName): HostReport | undefined };
  /** Whether the present phase has stood for as long as it may; only proposes, the sequencer judges by its own clock. */
  readonly isOverdue: (migration: Migration) => boolean;
}

export interface Proposal {
  /** The same for every coordinator that sees the same state: two of them do no harm. */
  readonly commandId: string;
  readonly command: Command;
}

/**
 * The next step of one migration, or null when there is only waiting to be done. Depends on nothing but the view.
 *
 * | phase | next | when |
 * | --- | --- | --- |
 * | admitted | prepared | source and destination realised the revision of the admission, without an exception |
 * | admitted | abort | the destination can't carry out one of the ports |
 * | prepared | moving | at once; the order to the hypervisor goes out with the host's document |
 * | moving | (fact) | the guest's first frame, or the hypervisor's word |
 * | switched | (fact) | the source handed in its final counters |
 * | aborting | (fact) | only the hypervisor knows on which side the guest ended up |
 * | any with a deadline | time-out | it has stood for so long |
 */
export function propose(view: View, migration: Migration): Proposal | null {
  const { id, episode, phase } = migration;
  if (view.isOverdue(migration)) {
    return {
      commandId: `migration:${id}:${episode}:time-out`,
      command: { type: 'TimeOutMigration', migration: id, episode },
    };
  }
  switch (phase) {
    case 'admitted': {
      const refused = refusal(view, migration);
      if (refused !== null) {
        return {
          commandId: `migration:${id}:${episode}:abort`,
          command: { type: 'AbortMigration', migration: id, reason: refused },
        };
      }
      return both(view, migration) ? advance(view, migration, 'prepared') : null;
    }
    case 'prepared':
      return advance(view, migration, 'moving');
    case 'aborting':
    case 'moving':
    case 'switched':
    case 'unknown':
    case 'completed':
    case 'aborted':
    case 'failed':
      return null;
    default:
      return assertNever(phase);
  }
}

/** Every proposal that the view calls for. */
export function proposeAll(view: View): readonly Proposal[] {
  return runningMigrations(view.state).flatMap((m) => propose(view, m) ?? []);
}

function refusal(view: View, migration: Migration): string | null {
  const ports = new Set<string>(migration.ports.map((p) => p.port));
  const found = view.reports
    .get(migration.destination)
    ?.exceptions.find((e) => e.port !== null && ports.has(e.port));
  return found === undefined
    ? null
    : `${migration.destination} can't carry out ${found.port}: ${found.reason}`;
}

/** Both ends confirmed what the last phase changed. */
function both(view: View, migration: Migration): boolean {
  const since = migration.history.at(-1)?.revision ?? 0;
  return [migration.source, migration.destination].every(
    (h) => (view.reports.get(h)?.realised ?? -1) >= since,
  );
}

function advance(view: View, migration: Migration, to: MigrationPhase): Proposal {
  const evidence: Record<string, number> = {};
  for (const host of [migration.source, migration.destination]) {
    const realised = view.reports.get(host)?.realised;
    if (realised !== undefined) evidence[host] = realised;
  }
  return {
    commandId: `migration:${migration.id}:${migration.episode}:${to}`,
    command: {
      type: 'AdvanceMigration',
      migration: migration.id,
      episode: migration.episode,
      from: migration.phase,
      to,
      evidence,
    },
  };
}
