import { err, ok, problem, ProblemError, type Result } from '#kernel';
import { catchUp, poisonProblem, startReplica, type Notice } from './load.js';
import { Replica, type ReplicaState } from './replica.js';
import { Sequencer, type SequencerOptions } from './sequencer.js';
import { type SnapshotRules } from './snapshot.js';

export interface OpenOptions<State, Command, Event> extends SequencerOptions<State, Command, Event> {
  /** Who opens, for the commits that opening may need. */
  readonly actor: string;
  readonly snapshots?: SnapshotRules<State>;
  /** State of a follower in the same process: saves reading the log again. */
  readonly from?: ReplicaState<State>;
  readonly notice?: Notice;
}

/** An earlier leader may store a last commit while the log is read; more than a few times is another fault. */
const ATTEMPTS = 5;

/**
 * Reads the log to its end and makes the sequencer that goes on from there. Its first commit fences every earlier
 * leader: it opens the first lineage of an empty log, drops what was staged and never committed, or just says who
 * leads now. Without it an earlier leader could still acknowledge a commit that this one has not read. A poisoned
 * log is a problem, as is one that does not answer.
 */
export async function openSequencer<State, Command, Event>(
  options: OpenOptions<State, Command, Event>,
): Promise<Result<Sequencer<State, Command, Event>>> {
  const { log, rules } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      const start =
        options.from === undefined
          ? await startReplica(log, rules, options.snapshots, options.notice)
          : new Replica(rules, options.from);
      const caughtUp = await catchUp(log, start);
      if (!caughtUp.ok) return err(poisonProblem(caughtUp.error));
      const opened = await firstCommit(options, caughtUp.value);
      if (opened.ok || attempt === ATTEMPTS || opened.error.code !== 'unavailable') return opened;
    } catch (cause) {
      if (cause instanceof ProblemError) return err(cause.problem);
      throw cause;
    }
  }
}

async function firstCommit<State, Command, Event>(
  options: OpenOptions<State, Command, Event>,
  replica: Replica<State, Event>,
): Promise<Result<Sequencer<State, Command, Event>>> {
  const { actor } = options;
  // A failure here is told by the result; the owner's own `onEnd` is for a sequencer that it was given.
  let given = false;
  const onEnd: OpenOptions<State, Command, Event>['onEnd'] = (reason, fault) => {
    if (given) options.onEnd?.(reason, fault);
  };
  const sequencer = new Sequencer({ ...options, onEnd }, replica.capture());
  const commits =
    replica.head.lineage === undefined
      ? [sequencer.openLineage('first start', actor)]
      : replica.staged.map((commit) => sequencer.abandonChunks(commit, actor));
  if (commits.length === 0) commits.push(sequencer.takeLeadership(actor));
  for (const answer of await Promise.all(commits)) {
    if (!answer.ok)
      return err(problem(answer.error.code, `the log can't be opened: ${answer.error.message}`));
  }
  given = true;
  return ok(sequencer);
}
