import { err, ok, problem, type Problem, type Result, type Revision } from '#kernel';
import { type Head, type Poison } from './chain-reader.js';
import { checkHeld, type CommitLog } from './commit-log.js';
import { type Commit } from './decider.js';
import { decodeEnvelope } from './envelope-decode.js';
import { type Hash } from './envelope.js';
import { Replica, type ReplicaRules, type ReplicaState } from './replica.js';
import { loadRepudiations } from './repudiations.js';
import { fromSnapshot, type SavedSnapshot, type SnapshotRules } from './snapshot.js';

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

/** Reads on to the end of the log as known when it gets there. `onRead`: each commit on the way. */
export async function catchUp<State, Event>(
  log: CommitLog,
  replica: Replica<State, Event>,
  onRead: (commit: Commit<Event>) => void = () => undefined,
): Promise<Result<Replica<State, Event>, Poison>> {
  while (replica.head.seq < (await log.last())) {
    for await (const batch of log.read(replica.head.seq + 1)) {
      for (const message of batch) {
        const applied = replica.fold(message);
        if (!applied.ok) return applied;
        if (applied.value.kind === 'commit') onRead(applied.value.commit);
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

/** The newest that can be used. Older ones are tried too: what stands before them may be out of reach. */
async function usableSnapshot<State, Event>(
  log: CommitLog,
  rules: ReplicaRules<State, Event>,
  snapshots: SnapshotRules<State>,
  repudiated: ReadonlyMap<string, Revision>,
  notice: Notice,
  onLost: (head: Head) => void,
): Promise<ReplicaState<State> | undefined> {
  try {
    let snapshot = await snapshots.store.load(snapshots.codeVersion);
    for (let newest = true; snapshot !== undefined; newest = false) {
      const used = await tryOne(log, rules, snapshots, snapshot, repudiated);
      if (used.ok) return used.value;
      const { fault, lost } = used.error;
      notice(`the snapshot at ${snapshot.seq} ${fault}; it is not used`);
      if (lost !== undefined && newest) onLost(lost);
      snapshot = await snapshots.store.load(snapshots.codeVersion, snapshot.seq - 1);
    }
  } catch (cause) {
    notice(`snapshots can't be read: ${String(cause)}; reading the whole log instead`);
  }
  return undefined;
}

interface Unusable {
  readonly fault: string;
  /** It was made of messages that this log does not hold. */
  readonly lost?: Head;
}

async function tryOne<State, Event>(
  log: CommitLog,
  rules: ReplicaRules<State, Event>,
  snapshots: SnapshotRules<State>,
  snapshot: SavedSnapshot,
  repudiated: ReadonlyMap<string, Revision>,
): Promise<Result<ReplicaState<State>, Unusable>> {
  const from = await fromSnapshot(snapshot, snapshots, rules.commandRetentionMs);
  if (!from.ok) return err({ fault: `can't be read: ${from.error.message}` });
  const { head } = from.value;
  const begin = await log.begins();
  if (head.seq < begin.first - 1)
    return err({ fault: `ends before what the log still holds (${begin.archive ?? 'archived'} holds it)` });
  if (!(await holds(log, head.seq, head.hash, rules.hash)))
    return err({ fault: 'is not of this log', lost: head });
  for (const hash of repudiated.keys()) {
    if (!from.value.repudiated.has(hash)) return err({ fault: 'does not know a repudiation' });
  }
  return from;
}

/** Whether a message has this hash, by itself or, if it was taken out, by what the one after it says of it. */
async function holds(log: CommitLog, seq: number, hash: string, hashOf: Hash): Promise<boolean> {
  if ((await log.last()) < seq) return false;
  const begin = await log.begins();
  if (seq < begin.first - 1) checkHeld(seq, begin);
  const taken = seq < begin.first;
  for await (const batch of log.read(taken ? seq + 1 : seq)) {
    const found = batch[0];
    if (found === undefined) continue;
    if (!taken) return found.seq === seq && hashOf(found.bytes) === hash;
    const next = decodeEnvelope(found.bytes);
    return next.ok && next.value.prevhash === hash;
  }
  return false;
}
