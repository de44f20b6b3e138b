import { err, ok, problem, type Result } from '#kernel';
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

/**
 * Reads the log to its end and makes the sequencer that goes on from there. Opens the first lineage of an empty log,
 * and drops what an earlier leader staged but never committed. A poisoned log is a problem, as is one that does not
 * answer.
 */
export async function openSequencer<State, Command, Event>(
  options: OpenOptions<State, Command, Event>,
): Promise<Result<Sequencer<State, Command, Event>>> {
  const { log, rules, actor } = options;
  const start =
    options.from === undefined
      ? await startReplica(log, rules, options.snapshots, options.notice)
      : new Replica(rules, options.from);
  const caughtUp = await catchUp(log, start);
  if (!caughtUp.ok) return err(poisonProblem(caughtUp.error));
  const replica = caughtUp.value;
  const sequencer = new Sequencer(options, replica.capture());
  if (replica.head.lineage === undefined) {
    const opened = await sequencer.openLineage('first start', actor);
    if (!opened.ok) return err(problem('unavailable', `the log can't be opened: ${opened.error.message}`));
  }
  for (const commit of replica.staged) {
    const dropped = await sequencer.abandonChunks(commit, actor);
    if (!dropped.ok) return err(problem('unavailable', `the log can't be opened: ${dropped.error.message}`));
  }
  return ok(sequencer);
}
