import { canonicalJson, ok, type Result, type Revision } from '#kernel';
import { type Head, type Poison } from './chain-reader.js';
import { type StoredMessage } from './commit-log.js';
import { type Commit, type StateCodec } from './decider.js';
import { Replica, type ReplicaRules } from './replica.js';
import { collectRepudiations } from './repudiations.js';
import { stateDigest } from './snapshot.js';

export interface Replayed<State> {
  readonly state: State;
  /** Digest of the state; undefined without a codec. */
  readonly digest: string | undefined;
  readonly head: Head;
  readonly commits: number;
}

/**
 * Folds messages into a state, verifying the hash chain. `messages` must be the whole log from its first message.
 * `each` is called after every commit.
 */
export function replay<State, Event>(
  messages: readonly StoredMessage[],
  rules: ReplicaRules<State, Event>,
  codec?: StateCodec<State>,
  each?: (commit: Commit<Event>, before: State, after: State) => void,
): Result<Replayed<State>, Poison> {
  const replica = new Replica(rules, undefined, repudiationsOf(messages));
  let commits = 0;
  for (const message of messages) {
    if (each === undefined) {
      const folded = replica.fold(message);
      if (!folded.ok) return folded;
      if (folded.value.kind === 'commit') commits++;
      continue;
    }
    const applied = replica.apply(message);
    if (!applied.ok) return applied;
    if (applied.value.kind !== 'commit') continue;
    commits++;
    each(applied.value.commit, applied.value.before, applied.value.after);
  }
  const digest = codec && stateDigest(replica.state, codec, rules.hash);
  return ok({ state: replica.state, digest, head: replica.head, commits });
}

/**
 * Messages out of a text with one envelope a line, as exports have them. A line that was laid out anew by another
 * program is brought back to the canonical form, which is what was hashed; a line that is no JSON stays as it is.
 */
export function messagesOfLines(text: string): StoredMessage[] {
  const utf8 = new TextEncoder();
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, i) => ({ seq: i + 1, topic: 'commit', bytes: utf8.encode(canonicalLine(line)) }));
}

function canonicalLine(line: string): string {
  try {
    return canonicalJson(JSON.parse(line));
  } catch {
    // The reader names what is wrong with it.
    return line;
  }
}

function repudiationsOf(messages: readonly StoredMessage[]): Map<string, Revision> {
  const found = new Map<string, Revision>();
  const utf8 = new TextDecoder();
  for (const { bytes } of messages) {
    // Decoding everything twice would double the time; few messages hold the word.
    if (utf8.decode(bytes).includes('"Repudiated"')) collectRepudiations(bytes, found);
  }
  return found;
}
