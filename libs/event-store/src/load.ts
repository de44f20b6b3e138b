import { err, ok, problem, type Problem, type Result, type Revision } from '#kernel';
import { type Head, type Poison } from './chain-reader.js';
import { type CommitLog } from './commit-log.js';
import { type Hash } from './envelope.js';
import { Replica, type ReplicaRules, type ReplicaState } from './replica.js';
import { loadRepudiations } from './repudiations.js';
import { fromSnapshot, type SnapshotRules } from './snapshot.js';

/** A poisoned message as a problem for the operator. */
export function poisonProblem({ revision, hash, problem: cause }: Poison): Problem {
  const text = `revision ${revision} of the log can't be read: ${cause.message} (hash ${hash})`;
  return problem('internal', text, cause.details);
}

/** Tells the owner of something that was not as it should be, and was got round. */
export type Notice = (text: string) => void;

/**
 * Starts a replica: repudiations, then the newest snapshot that fits this log, or nothing. What a snapshot claims is
 * believed only if its digest is right, the log holds the message that it ends at, and it skipped what is repudiated.
 * `onLost`: the snapshot was made of messages that this log does not hold.
 */
export async function startReplica<State, Event>(
  log: CommitLog,
  rules: ReplicaRules<State, Event>,
  snapshots?: SnapshotRules<State>,
  notice: Notice = () => undefined,
  onLost: (head: Head) => void = () => undefined,
): Promise<Replica<State, Event>> {
  const repudiated = await loadRepudiations(log);
  const from = snapshots && (await usableSnapshot(log, rules, snapshots, repudiated, notice, onLost));
  return new Replica(rules, from, repudiated);
}

/** Whether the log holds the message that a reader came to. Throws ProblemError when it can't be asked. */
export const holdsHead = (log: CommitLog, { seq, hash }: Head, hashOf: Hash): Promise<boolean> =>
  seq === 0 ? Promise.resolve(true) : holds(log, seq, hash, hashOf);

/** Reads on to the end of the log as known when it gets there. */
export async function catchUp<State, Event>(
  log: CommitLog,
  replica: Replica<State, Event>,
): Promise<Result<Replica<State, Event>, Poison>> {
  while (replica.head.seq < (await log.last())) {
    for await (const batch of log.read(replica.head.seq + 1)) {
      for (const message of batch) {
        const applied = replica.fold(message);
        if (!applied.ok) return applied;
        if (applied.value.kind === 'late-repudiation') {
          const fault = problem(
            'unavailable',
            'a commit was repudiated while the log was read; read it again',
          );
          return err({ seq: message.seq, revision: replica.head.revision, hash: '', problem: fault });
        }
      }
    }
  }
  return ok(replica);
}

async function usableSnapshot<State, Event>(
  log: CommitLog,
  rules: ReplicaRules<State, Event>,
  snapshots: SnapshotRules<State>,
  repudiated: ReadonlyMap<string, Revision>,
  notice: Notice,
  onLost: (head: Head) => void,
): Promise<ReplicaState<State> | undefined> {
  try {
    const snapshot = await snapshots.store.load(snapshots.codeVersion);
    if (snapshot === undefined) return undefined;
    const from = fromSnapshot(snapshot, snapshots, rules.commandRetentionMs);
    if (!from.ok) {
      notice(`${from.error.message}; reading the whole log instead`);
      return undefined;
    }
    if (!(await holds(log, from.value.head.seq, from.value.head.hash, rules.hash))) {
      notice(`snapshot ${snapshot.head.revision} is not of this log; reading the whole log instead`);
      onLost(from.value.head);
      return undefined;
    }
    for (const hash of repudiated.keys()) {
      if (from.value.repudiated.has(hash)) continue;
      notice(`snapshot ${snapshot.head.revision} does not know a repudiation; reading the whole log instead`);
      return undefined;
    }
    return from.value;
  } catch (cause) {
    notice(`snapshots can't be read: ${String(cause)}; reading the whole log instead`);
    return undefined;
  }
}

async function holds(log: CommitLog, seq: number, hash: string, hashOf: Hash): Promise<boolean> {
  if ((await log.last()) < seq) return false;
  for await (const batch of log.read(seq)) {
    const found = batch[0];
    if (found !== undefined) return found.seq === seq && hashOf(found.bytes) === hash;
  }
  return false;
}
