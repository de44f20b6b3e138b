import { readFile } from 'node:fs/promises';
import { problem, ProblemError, type Lineage, type PortId, type Revision } from '#kernel';
import {
  checkInvariants,
  ledgerTotals,
  stayedAtSource,
  packetsOf,
  verifyLedger,
  type DomainEvent,
  type MigrationPhase,
  type State,
} from '#domain';
import { messagesOfLines, poisonProblem, replay } from '#event-store';
import { clusterRules, stateCodec, type ClusterCommit } from '#runtime';
import { HandOvers, type HandOver } from './hand-overs.js';

export interface HistoryLedger {
  readonly port: PortId;
  readonly owner: string | null;
  /** Packets that the guest sent, and that were handed to it: what closed segments hold. */
  readonly in: number;
  readonly out: number;
  readonly segments: number;
  readonly open: number;
  readonly inexact: number;
}

export interface HistoryMigration {
  readonly id: string;
  /** Whether an operator asked for it, or hosts saw that somebody else moved the guest. */
  readonly origin: 'operator' | 'observed';
  readonly owner: string;
  readonly source: string;
  readonly destination: string;
  readonly phase: MigrationPhase;
  /** In the order in which they were gone through. */
  readonly phases: readonly MigrationPhase[];
  readonly reason: string | null;
  /** The ledger at the hand-over; null: the source has not let go of the guest, or it never went over. */
  readonly handedOver: HandOver | null;
}

/** A recorded log, folded into a state. */
export interface History {
  readonly state: State;
  readonly lineage: Lineage | undefined;
  readonly revision: Revision;
  /** Of the state, as `portolan status` and `portolan replay` show it. */
  readonly digest: string;
  readonly commits: readonly ClusterCommit[];
  readonly events: readonly DomainEvent[];
  readonly ledgers: readonly HistoryLedger[];
  readonly migrations: readonly HistoryMigration[];
  /** What must always hold and did not, by revision; empty in every log that the sequencer wrote. */
  readonly broken: readonly { readonly revision: Revision; readonly what: string }[];
}

export interface ReplayOptions {
  /** The history must reach this revision: a file that was cut off at the end of a line is a whole, shorter one. */
  readonly revision?: number;
  /** Called after every commit with the states around it. */
  readonly each?: (commit: ClusterCommit, before: State, after: State) => void;
}

/**
 * Replays a history as `portolan export` writes it: NDJSON, one commit a line, from the first on. Checks the hash
 * chain, the versions of the events, the invariants after every commit and the ledgers against the log alone. Throws
 * a ProblemError that says the revision and the reason when the file can't be read to its end, or when a ledger is not
 * what the log says.
 *
 * ```ts
 * const history = await replayHistory('my-cluster.ndjson');
 * expect(history.migrations.every((m) => m.phase === 'completed')).toBe(true);
 * expect(history.broken).toEqual([]);
 * ```
 */
export async function replayHistory(file: string, options: ReplayOptions = {}): Promise<History> {
  return replayText(await readFile(file, 'utf8'), options);
}

/** The same for a text that is there already. */
export function replayText(ndjson: string, { revision, each }: ReplayOptions = {}): History {
  const commits: ClusterCommit[] = [];
  const broken: { revision: Revision; what: string }[] = [];
  const handOvers = new HandOvers();
  const replayed = replay(messagesOfLines(ndjson), clusterRules, stateCodec, (commit, before, after) => {
    commits.push(commit);
    handOvers.see(commit.events, before);
    for (const what of checkInvariants(after)) broken.push({ revision: commit.revision, what });
    each?.(commit, before, after);
  });
  if (!replayed.ok) throw new ProblemError(poisonProblem(replayed.error));
  const { state, digest = '', head } = replayed.value;
  if (revision !== undefined && head.revision < revision) {
    const text = `the history ends at revision ${head.revision}: revision ${head.revision + 1} to ${revision} are missing`;
    throw new ProblemError(problem('invalid', text));
  }
  const events = commits.flatMap((c) => c.events);
  const [wrong] = verifyLedger(events, state);
  if (wrong !== undefined) {
    const text = `the ledger of port ${wrong.port} says ${wrong.what} ${wrong.state}, the log ${wrong.log}`;
    throw new ProblemError(problem('internal', text));
  }
  const { lineage } = head;
  const views = { ledgers: ledgersOf(state), migrations: migrationsOf(state, handOvers) };
  return { state, lineage, revision: head.revision, digest, commits, events, broken, ...views };
}

function ledgersOf(state: State): HistoryLedger[] {
  return [...state.ports.values()]
    .filter((p) => p.ledger.segments.length > 0 || p.ledger.folded !== null)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, connectee, ledger }) => {
      const total = ledgerTotals(ledger, () => undefined);
      return {
        port: id,
        owner: connectee?.owner ?? null,
        in: packetsOf(total.in),
        out: packetsOf(total.out),
        segments: ledger.segments.length + ledger.foldedCount,
        open: ledger.segments.filter((s) => s.close === null).length,
        inexact: ledger.foldedInexact + ledger.segments.filter((s) => s.inexact !== null).length,
      };
    });
}

function migrationsOf(state: State, handOvers: HandOvers): HistoryMigration[] {
  return [...state.migrations.values()].map((migration) => {
    const { id, origin, owner, source, destination, phase, history } = migration;
    return {
      id,
      origin,
      owner,
      source,
      destination,
      phase,
      phases: history.map((h) => h.phase),
      reason: history.at(-1)?.reason ?? null,
      handedOver: stayedAtSource(migration) ? null : handOvers.of(id),
    };
  });
}
