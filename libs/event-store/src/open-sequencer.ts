import { err, ok, problem, ProblemError, type Result } from '#kernel';
import { type Head } from './chain-reader.js';
import { catchUp, holdsHead, poisonProblem, startReplica, type Notice } from './load.js';
import { Replica, type ReplicaState } from './replica.js';
import { Sequencer, type SequencerOptions } from './sequencer.js';
import { type SnapshotRules } from './snapshot.js';

export interface OpenOptions<State, Command, Event> extends SequencerOptions<State, Command, Event> {
  /** Who opens, for the commits that opening may need. */
  readonly actor: string;
  readonly snapshots?: SnapshotRules<State>;
  /** State of a follower in the same process: saves reading the log again. */
  readonly from?: ReplicaState<State>;
  /** How far somebody had come in a log that this one may be an older copy of. */
  readonly lost?: Lost;
  readonly notice?: Notice;
  /** Once it is open: what was read behind `from`; null if that was not what it goes on from. */
  readonly onCaughtUp?: (events: readonly Event[] | null) => void;
}

/** `time`: of its last commit, ms; a log that ends later has gone on from there, in a lineage of its own. */
export type Lost = Pick<Head, 'lineage' | 'revision' | 'time'>;

/** An earlier leader may store a last commit while the log is read; more than a few times is another fault. */
const ATTEMPTS = 5;

/**
 * Reads the log to its end and makes the sequencer that goes on from there. Its first commit fences every earlier
 * leader: it opens the first lineage of an empty log, or another when the log is known to have gone on further in the
 * one it ends with; drops what was staged and never committed; or just says who leads now. Without it an earlier leader could still acknowledge a commit that this one has not read. A poisoned
 * log is a problem, as is one that does not answer.
 */
export async function openSequencer<State, Command, Event>(
  options: OpenOptions<State, Command, Event>,
): Promise<Result<Sequencer<State, Command, Event>>> {
  const { log, rules } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      const lost: Lost[] = options.lost === undefined ? [] : [options.lost];
      const gone = (head: Head): void => void lost.push(head);
      const from = await heldStart(options, gone);
      const start =
        from === undefined
          ? await startReplica(log, rules, options.snapshots, options.notice, gone)
          : new Replica(rules, from);
      const read: Event[] = [];
      const caughtUp = await catchUp(log, start, ({ events }) => void read.push(...events));
      if (!caughtUp.ok) return err(poisonProblem(caughtUp.error));
      const opened = await firstCommit(options, caughtUp.value, lost);
      if (opened.ok) options.onCaughtUp?.(from === undefined ? null : read);
      if (opened.ok || attempt === ATTEMPTS || opened.error.code !== 'unavailable') return opened;
    } catch (cause) {
      if (cause instanceof ProblemError) return err(cause.problem);
      throw cause;
    }
  }
}

/** A state that was read of another log than the one that is there now is not one to go on from. */
async function heldStart<State, Command, Event>(
  { log, rules, from }: OpenOptions<State, Command, Event>,
  onLost: (head: Head) => void,
): Promise<ReplicaState<State> | undefined> {
  if (from === undefined || (await holdsHead(log, from.head, rules.hash))) return from;
  onLost(from.head);
  return undefined;
}

async function firstCommit<State, Command, Event>(
  options: OpenOptions<State, Command, Event>,
  replica: Replica<State, Event>,
  known: readonly Lost[],
): Promise<Result<Sequencer<State, Command, Event>>> {
  // A sequencer lasts for months: the state that it was made of is not kept so long.
  const {
    actor,
    from: _from,
    snapshots: _snapshots,
    lost: _lost,
    notice: _notice,
    onCaughtUp: _onCaughtUp,
    ...lasting
  } = options;
  const owner = toldOnceGiven(options.onEnd);
  const sequencer = new Sequencer({ ...lasting, onEnd: owner.onEnd }, replica.capture());
  const commits = replica.staged.map((commit) => sequencer.abandonChunks(commit, actor));
  const lost = known.find((it) => isBehind(replica.head, it));
  if (replica.head.lineage === undefined) commits.push(sequencer.openLineage('first start', actor));
  // Revisions that were used would be used again, and what hosts say of them would be believed of other ones.
  else if (lost !== undefined) commits.push(sequencer.openLineage(lostText(replica.head, lost), actor));
  if (commits.length === 0) commits.push(sequencer.takeLeadership(actor));
  for (const answer of await Promise.all(commits)) {
    if (!answer.ok)
      return err(problem(answer.error.code, `the log can't be opened: ${answer.error.message}`));
  }
  owner.given();
  return ok(sequencer);
}

type OnEnd = NonNullable<SequencerOptions<never, never, never>['onEnd']>;

/**
 * A failure while it is opened is told by the result; the owner's own `onEnd` is for a sequencer that it was given. A
 * function of its own: all closures made in one call hold what any of them names, and these live as long as the term.
 */
function toldOnceGiven(told: OnEnd | undefined): { readonly onEnd: OnEnd; given(): void } {
  let isGiven = false;
  return {
    onEnd: (reason, fault) => {
      if (isGiven) told?.(reason, fault);
    },
    given: () => void (isGiven = true),
  };
}

const isBehind = (head: Head, lost: Lost): boolean => lost.lineage === head.lineage || lost.time > head.time;

const lostText = (head: Head, lost: Lost): string =>
  `the log ends at revision ${head.revision}, and revision ${lost.revision} was known: it was restored from an older copy, or lost its end`;
