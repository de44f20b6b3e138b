import { canonicalJson, err, ok, problem, type Result, type Revision } from '#kernel';
import { type Head } from './chain-reader.js';
import { CommandIndex, type KnownCommand } from './command-index.js';
import { type StateCodec } from './decider.js';
import { type Hash } from './envelope.js';
import { type ReplicaState } from './replica.js';
import { slicesOf, StateReader, type Hasher, type SliceLine } from './snapshot-slices.js';

/**
 * A state as lines of JSON, with all that is needed to read on from it. Disposable: the log, or its archive, can always
 * do without. A state may be too large for one text, and for one turn of the event loop: so it goes line by line.
 */
export interface SnapshotToSave {
  /** Version of the code that made it; another version does not read it. */
  readonly codeVersion: string;
  readonly head: Head;
  /** Made one by one, as they are asked for: whoever writes them lets others work in between. To be read once. */
  readonly lines: Iterable<string>;
}

export interface SavedSnapshot {
  /** Position of its head. */
  readonly seq: number;
  readonly lines: AsyncIterable<string> | Iterable<string>;
}

/** Keeps snapshots. May lose them. `load` gives the newest of that code version up to a position, or nothing. */
export interface SnapshotStore {
  save(snapshot: SnapshotToSave): Promise<void>;
  load(codeVersion: string, atMostSeq?: number): Promise<SavedSnapshot | undefined>;
}

export type SnapshotSource = Pick<SnapshotStore, 'load'>;

/** The newer of what two sources have. */
export const newestOf = (a: SnapshotSource, b: SnapshotSource): SnapshotSource => ({
  load: async (codeVersion, atMostSeq) => {
    const found = await Promise.all([a, b].map((source) => source.load(codeVersion, atMostSeq)));
    return found.filter((s) => s !== undefined).sort((x, y) => y.seq - x.seq)[0];
  },
});

/** How a replica's state becomes a snapshot and back. */
export interface SnapshotRules<State> {
  readonly store: SnapshotSource;
  readonly codeVersion: string;
  readonly state: StateCodec<State>;
  /** The same as the rules' hash, for a text in pieces. */
  readonly hasher: () => Hasher;
}

const FORMAT = 'portolan.snapshot.v2';
/** Answers to commands in one line. */
const COMMANDS = 1_000;

interface Header {
  readonly format: string;
  readonly codeVersion: string;
  readonly head: Head;
  readonly repudiated: readonly (readonly [string, Revision])[];
}

type Line = SliceLine | readonly ['commands', readonly (readonly [string, KnownCommand])[]];

const utf8 = new TextEncoder();

/** Digest of a state: equal states have equal digests, whatever way they came about. */
export function stateDigest<State>(state: State, codec: StateCodec<State>, hash: Hash): string {
  return hash(utf8.encode(canonicalJson(codec.toJson(state))));
}

export function toSnapshot<State>(
  from: ReplicaState<State>,
  rules: Omit<SnapshotRules<State>, 'store'>,
): SnapshotToSave {
  const { codeVersion } = rules;
  const { head } = from;
  return { codeVersion, head, lines: linesOf(from, rules) };
}

function* linesOf<State>(
  { state, head, commands, repudiated }: ReplicaState<State>,
  { codeVersion, state: codec, hasher }: Omit<SnapshotRules<State>, 'store'>,
): Generator<string> {
  const header: Header = { format: FORMAT, codeVersion, head, repudiated: [...repudiated] };
  yield JSON.stringify(header);
  const hash = hasher();
  yield* slicesOf(codec.toJson(state), hash);
  const known = commands.toJson();
  for (let at = 0; at < known.length; at += COMMANDS)
    yield JSON.stringify(['commands', known.slice(at, at + COMMANDS)]);
  yield JSON.stringify(['end', hash.digest()]);
}

/** The replica's state again, if the snapshot is whole: its digest is that of the very text that was read. */
export async function fromSnapshot<State>(
  { seq, lines }: SavedSnapshot,
  rules: Omit<SnapshotRules<State>, 'store'>,
  commandRetentionMs?: number,
): Promise<Result<ReplicaState<State>>> {
  const bad = (why: string) => err(problem('internal', `snapshot at ${seq}: ${why}`));
  let header: Header | undefined;
  let digest: string | undefined;
  const known: (readonly [string, KnownCommand])[] = [];
  const reader = new StateReader(rules.hasher());
  try {
    for await (const text of lines) {
      if (header === undefined) {
        header = JSON.parse(text) as Header;
        if (header.format !== FORMAT || !isHead(header.head) || !Array.isArray(header.repudiated))
          return bad(`is not of the form ${FORMAT}`);
        if (header.codeVersion !== rules.codeVersion) return bad('is of another version of the code');
        continue;
      }
      const line = JSON.parse(text) as Line | readonly ['end', string];
      if (line[0] === 'commands') for (const each of line[1]) known.push(each);
      else if (line[0] === 'end') digest = line[1];
      else reader.take(line, text);
    }
  } catch (cause) {
    return bad(`can't be read: ${String(cause)}`);
  }
  if (header === undefined || digest === undefined) return bad('is not whole');
  const { json, digest: found } = reader.end();
  if (found !== digest) return bad('has another digest');
  const state = rules.state.fromJson(json);
  if (!state.ok) return state;
  return ok({
    state: state.value,
    head: header.head,
    commands: new CommandIndex(commandRetentionMs, known),
    repudiated: new Map(header.repudiated),
  });
}

const isHead = (head: Partial<Head> | undefined): boolean =>
  typeof head?.seq === 'number' && typeof head.hash === 'string' && typeof head.revision === 'number';
