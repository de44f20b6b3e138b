import { canonicalJson, equalJson, err, ok, problem, type Problem, type Result } from '#kernel';
import { EMPTY_HEAD, type Head } from '../chain-reader.js';
import { type StoredMessage, type Topic } from '../commit-log.js';
import { CHUNK_TYPE, type Hash } from '../envelope.js';
import { type SavedSnapshot, type SnapshotToSave } from '../snapshot.js';

export const ARCHIVE_FORMAT = 'portolan.archive.v1';

/** Some messages of a segment, compressed by themselves: so that one can be read without what stands before it. */
export interface Block {
  /** Of its first message. */
  readonly seq: number;
  /** Where it begins in the file, and how long it is there, bytes. */
  readonly at: number;
  readonly length: number;
  /** Of its lines before they were compressed. */
  readonly digest: string;
}

/** What is said of a part of the log that was sealed: everything needed to tell whether it is whole and the right one. */
export interface Segment {
  readonly format: typeof ARCHIVE_FORMAT;
  readonly name: string;
  /** Where a reader stands before its first message: the `last` of the segment before it. */
  readonly before: Head;
  /** Where a reader stands after its last. */
  readonly last: Head;
  readonly messages: number;
  /** Of the lines, before they were compressed. */
  readonly bytes: number;
  readonly fileBytes: number;
  readonly blocks: readonly Block[];
  /** Of the state after its last message, and the code that made it: that of the snapshot which lies beside it. */
  readonly state: { readonly codeVersion: string; readonly digest: string };
  /** `at`: RFC 3339. */
  readonly sealed: { readonly at: string; readonly by: string; readonly reason: string };
}

/** A segment as it is being written; nothing of it is there before `seal`. */
export interface SegmentWriter {
  /** Compresses and keeps the lines of one block; where they are. */
  block(lines: Uint8Array): Promise<{ readonly at: number; readonly length: number }>;
  snapshot(snapshot: SnapshotToSave): Promise<void>;
  /** Makes all of it appear, under its name. Refuses a name that is taken. */
  seal(name: string, manifest: (fileBytes: number) => string): Promise<Result<void>>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/** Keeps sealed segments. Throws ProblemError, naming what can't be read. */
export interface ArchiveStore {
  /** Where it is, for people. */
  readonly place: string;
  /** What was written by `seal`, by name, in any order. */
  manifests(): Promise<readonly { readonly name: string; readonly text: string }[]>;
  /** The lines of one block as they were given. */
  lines(segment: Segment, block: Block): Promise<Uint8Array>;
  /** The snapshot of a segment's end. */
  snapshot(segment: Segment): Promise<SavedSnapshot>;
  write(): Promise<SegmentWriter>;
}

export const segmentName = (first: number, last: number): string =>
  `log-${[first, last].map((seq) => String(seq).padStart(12, '0')).join('-')}`;

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The manifest as it is kept: damage to it shows. */
export const manifestText = (segment: Segment, hash: Hash): string =>
  canonicalJson({ digest: hash(utf8.encode(canonicalJson(segment))), segment });

export function parseManifest(kept: string, name: string, hash: Hash): Result<Segment> {
  const bad = (why: string) => err(problem('internal', `the manifest of ${name} ${why}`));
  let parsed: { readonly digest?: unknown; readonly segment?: Segment };
  try {
    parsed = JSON.parse(kept) as typeof parsed;
  } catch {
    return bad('is not JSON');
  }
  const { digest, segment } = parsed;
  if (segment?.format !== ARCHIVE_FORMAT) return bad(`is not of the form ${ARCHIVE_FORMAT}`);
  if (hash(utf8.encode(canonicalJson(segment))) !== digest) return bad('is damaged: its digest is another');
  return segment.name === name ? ok(segment) : bad(`is that of ${segment.name}`);
}

/** The segments in the order of the log, each following the one before it, from the very first message on. */
export function chained(segments: readonly Segment[]): Result<readonly Segment[]> {
  const sorted = [...segments].sort((a, b) => a.before.seq - b.before.seq);
  let [before, name] = [EMPTY_HEAD as Head, 'the beginning of the log'];
  for (const segment of sorted) {
    if (segment.before.seq > before.seq)
      return err(missing(`between ${name} and ${segment.name} one is missing`));
    if (!equalJson(segment.before, before)) return err(missing(`${segment.name} does not follow ${name}`));
    [before, name] = [segment.last, segment.name];
  }
  return ok(sorted);
}

const missing = (why: string): Problem => problem('internal', why);

const WRAPPED = '{"archived":';

/** By the bytes alone. Chunks end with their type, as keys are sorted; only few messages hold the other word. */
function topicOf(line: string): Topic {
  if (line.endsWith(`"type":"${CHUNK_TYPE}"}`)) return 'chunk';
  return line.includes('"type":"Repudiated"') ? 'repudiation' : 'commit';
}

/** A message as a line: itself, or wrapped if it is none (what was repudiated may be anything) or would be read otherwise. */
export function lineOf({ topic, bytes }: StoredMessage): Uint8Array {
  const line = text.decode(bytes);
  const plain = isLine(line) && topicOf(line) === topic && sameBytes(utf8.encode(line), bytes);
  if (plain) return bytes;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return utf8.encode(`${WRAPPED}${canonicalJson({ hex, topic })}}`);
}

const isLine = (line: string): boolean =>
  line !== '' && !line.includes('\n') && !line.startsWith(WRAPPED) && !line.startsWith('\uFEFF');

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The messages of a block. Throws on what `lineOf` did not write; the block's digest is to be looked at before. */
export function messagesOf(lines: Uint8Array, first: number): StoredMessage[] {
  const messages: StoredMessage[] = [];
  let from = 0;
  for (let at = lines.indexOf(10); at >= 0; at = lines.indexOf(10, from)) {
    messages.push(messageOf(lines.subarray(from, at), first + messages.length));
    from = at + 1;
  }
  return messages;
}

function messageOf(bytes: Uint8Array, seq: number): StoredMessage {
  const line = text.decode(bytes);
  if (!line.startsWith(WRAPPED)) return { seq, topic: topicOf(line), bytes };
  const { archived } = JSON.parse(line) as {
    readonly archived: { readonly hex: string; readonly topic: Topic };
  };
  const raw = Uint8Array.from(archived.hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  return { seq, topic: archived.topic, bytes: raw };
}
