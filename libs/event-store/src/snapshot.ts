import { canonicalJson, err, ok, problem, type Lineage, type Result, type Revision } from '#kernel';
import { type Head } from './chain-reader.js';
import { CommandIndex, type KnownCommand } from './command-index.js';
import { type StateCodec } from './decider.js';
import { type Hash } from './envelope.js';
import { type ReplicaState } from './replica.js';

/** A state as JSON, with all that is needed to read on from it. Disposable: the log can always do without. */
export interface Snapshot {
  /** Version of the code that made it; another version does not read it. */
  readonly codeVersion: string;
  readonly head: Head;
  /** Hash of the canonical JSON of `state`. */
  readonly digest: string;
  readonly state: unknown;
  readonly commands: readonly (readonly [string, KnownCommand])[];
  readonly repudiated: readonly (readonly [string, Revision])[];
}

/** Keeps snapshots. May lose them. `load` gives the newest of that code version, or nothing. */
export interface SnapshotStore {
  save(snapshot: Snapshot): Promise<void>;
  load(codeVersion: string, atMost?: { lineage: Lineage; revision: Revision }): Promise<Snapshot | undefined>;
}

/** How a replica's state becomes a snapshot and back. */
export interface SnapshotRules<State> {
  readonly store: SnapshotStore;
  readonly codeVersion: string;
  readonly state: StateCodec<State>;
  readonly hash: Hash;
}

const utf8 = new TextEncoder();

/** Digest of a state: equal states have equal digests, whatever way they came about. */
export function stateDigest<State>(state: State, codec: StateCodec<State>, hash: Hash): string {
  return hash(utf8.encode(canonicalJson(codec.toJson(state))));
}

export function toSnapshot<State>(from: ReplicaState<State>, rules: SnapshotRules<State>): Snapshot {
  const state = rules.state.toJson(from.state);
  return {
    codeVersion: rules.codeVersion,
    head: from.head,
    digest: rules.hash(utf8.encode(canonicalJson(state))),
    state,
    commands: from.commands.toJson(),
    repudiated: [...from.repudiated],
  };
}

/** The replica's state again, if the snapshot is whole: its digest is recomputed from the state that was read. */
export function fromSnapshot<State>(
  snapshot: Snapshot,
  rules: SnapshotRules<State>,
  commandRetentionMs?: number,
): Result<ReplicaState<State>> {
  const bad = (why: string) => err(problem('internal', `snapshot ${snapshot.head.revision}: ${why}`));
  if (snapshot.codeVersion !== rules.codeVersion) return bad('is of another version of the code');
  const state = rules.state.fromJson(snapshot.state);
  if (!state.ok) return state;
  if (stateDigest(state.value, rules.state, rules.hash) !== snapshot.digest) return bad('has another digest');
  return ok({
    state: state.value,
    head: snapshot.head,
    commands: new CommandIndex(commandRetentionMs, snapshot.commands),
    repudiated: new Map(snapshot.repudiated),
  });
}
