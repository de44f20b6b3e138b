import { err, ok, problem, ProblemError, type Clock, type Problem, type Result } from '#kernel';
import { type Head } from '../chain-reader.js';
import { type CommitLog, type StoredMessage, type TrimmableLog } from '../commit-log.js';
import { decodeEnvelope } from '../envelope-decode.js';
import { COMMIT_TYPE } from '../envelope.js';
import { catchUp, poisonProblem, startReplica } from '../load.js';
import { Replica, type ReplicaRules } from '../replica.js';
import { toSnapshot, type SnapshotRules } from '../snapshot.js';
import { type Archive } from './archive.js';
import { ArchivedLog } from './archived-log.js';
import {
  ARCHIVE_FORMAT,
  lineOf,
  manifestText,
  segmentName,
  type Block,
  type Segment,
  type SegmentWriter,
} from './segment.js';

export interface SealOptions<State, Event> {
  readonly log: CommitLog;
  readonly archive: Archive;
  readonly rules: ReplicaRules<State, Event>;
  readonly snapshots: Omit<SnapshotRules<State>, 'store'>;
  /** Commits before this are sealed, ms since the epoch. The last message of the log never is. */
  readonly before: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly by: string;
  readonly reason: string;
}

/** Bytes of lines in one block. */
const BLOCK = 1024 * 1024;

/**
 * Puts the next part of a log into the archive as a segment: from where the archive ends to the last commit before a
 * time. Nothing is taken out of the log. What was written is read again, and held against the log, before it counts.
 */
export async function seal<State, Event>(options: SealOptions<State, Event>): Promise<Result<Segment>> {
  const { log, archive, rules, snapshots } = options;
  try {
    const former = (await archive.segments()).at(-1);
    const whole = new ArchivedLog(log, archive);
    const replica = await startReplica(whole, rules, { ...snapshots, store: archive });
    const caughtUp = await upTo(whole, replica, former?.last.seq ?? 0);
    if (!caughtUp.ok) return caughtUp;
    if (former !== undefined && replica.head.hash !== former.last.hash)
      return err(
        problem('refused', `the log does not go on from where ${former.name} ends: it is another one`),
      );
    const writer = await archive.store.write();
    try {
      const sealed = await writeSegment(options, whole, replica, writer);
      if (!sealed.ok) return sealed;
      const verified = await archive.verify(sealed.value, snapshots);
      return verified.ok ? sealed : verified;
    } finally {
      await writer.abandon();
    }
  } catch (cause) {
    if (cause instanceof ProblemError) return err(cause.problem);
    throw cause;
  }
}

/** Reads on to a position; from the last segment's snapshot that is no way at all. */
async function upTo<State, Event>(
  log: CommitLog,
  replica: Replica<State, Event>,
  seq: number,
): Promise<Result<void>> {
  if (replica.head.seq >= seq) return ok(undefined);
  for await (const batch of log.read(replica.head.seq + 1)) {
    for (const message of batch) {
      const folded = replica.fold(message);
      if (!folded.ok) return err(poisonProblem(folded.error));
      if (message.seq === seq) return ok(undefined);
    }
  }
  return err(
    problem('refused', `the log ends before message ${seq}, where the archive does: it is another one`),
  );
}

async function writeSegment<State, Event>(
  { log, archive, snapshots, before, clock, by, reason }: SealOptions<State, Event>,
  whole: CommitLog,
  replica: Replica<State, Event>,
  writer: SegmentWriter,
): Promise<Result<Segment>> {
  const begin = replica.head;
  const lines = new Lines(writer, archive, begin.seq + 1);
  const end = (await log.last()) - 1;
  let last: Head = begin;
  reading: for await (const batch of whole.read(begin.seq + 1)) {
    for (const message of batch) {
      if (message.seq > end || !isBefore(message, before)) break reading;
      const folded = replica.fold(message);
      if (!folded.ok) return err(poisonProblem(folded.error));
      if (folded.value.kind === 'late-repudiation') return err(again());
      lines.add(message);
      // Between the chunks of a commit there is nothing to go on from.
      if (replica.staged.length > 0) continue;
      last = replica.head;
      await lines.settle();
    }
  }
  if (last.seq === begin.seq) {
    const why = `no commit behind message ${begin.seq} is older than ${new Date(before).toISOString()}`;
    return err(problem('refused', `there is nothing to seal: ${why}`));
  }
  const { blocks, bytes } = await lines.end();
  // Chunks that were read beyond the end changed nothing of the state.
  const captured = { ...replica.capture(), head: last };
  const snapshot = toSnapshot(captured, snapshots);
  let digest = '';
  const watched = function* (): Generator<string> {
    for (const line of snapshot.lines) {
      if (line.startsWith('["end",')) digest = (JSON.parse(line) as [string, string])[1];
      yield line;
    }
  };
  await writer.snapshot({ ...snapshot, lines: watched() });
  const name = segmentName(begin.seq + 1, last.seq);
  const segment = (fileBytes: number): Segment => ({
    format: ARCHIVE_FORMAT,
    name,
    before: begin,
    last,
    messages: last.seq - begin.seq,
    bytes,
    fileBytes,
    blocks,
    state: { codeVersion: snapshots.codeVersion, digest },
    sealed: { at: new Date(clock.now()).toISOString(), by, reason },
  });
  const kept = await writer.seal(name, (fileBytes) => manifestText(segment(fileBytes), archive.hash));
  if (!kept.ok) return kept;
  const found = (await archive.segments()).find((s) => s.name === name);
  return found === undefined ? err(problem('internal', `${name} was written and is not there`)) : ok(found);
}

const again = (): Problem =>
  problem('unavailable', 'a commit was repudiated while the log was read; seal it again');

/** Times in a log never go back, so the first that is not before it ends the segment. */
function isBefore({ bytes }: StoredMessage, before: number): boolean {
  const decoded = decodeEnvelope(bytes);
  return !decoded.ok || decoded.value.type !== COMMIT_TYPE || Date.parse(decoded.value.time) < before;
}

/** Lines gathered into blocks. What was added after the last `settle` is not part of the segment. */
class Lines {
  readonly #blocks: Block[] = [];
  #settled: Uint8Array[] = [];
  #loose: Uint8Array[] = [];
  #size = 0;
  #bytes = 0;

  constructor(
    private readonly writer: SegmentWriter,
    private readonly archive: Archive,
    private first: number,
  ) {}

  add(message: StoredMessage): void {
    this.#loose.push(lineOf(message));
  }

  async settle(): Promise<void> {
    for (const line of this.#loose) {
      this.#settled.push(line);
      this.#size += line.length + 1;
    }
    this.#loose = [];
    if (this.#size >= BLOCK) await this.#flush();
  }

  async end(): Promise<{ readonly blocks: readonly Block[]; readonly bytes: number }> {
    if (this.#settled.length > 0) await this.#flush();
    return { blocks: this.#blocks, bytes: this.#bytes };
  }

  async #flush(): Promise<void> {
    const lines = new Uint8Array(this.#size);
    let at = 0;
    for (const line of this.#settled) {
      lines.set(line, at);
      lines[at + line.length] = 10;
      at += line.length + 1;
    }
    const digest = this.archive.hash(lines);
    this.#blocks.push({ seq: this.first, ...(await this.writer.block(lines)), digest });
    this.first += this.#settled.length;
    this.#bytes += this.#size;
    [this.#settled, this.#size] = [[], 0];
  }
}

export interface Trimmed {
  /** Messages that the log no longer holds by this. */
  readonly messages: number;
  readonly segments: readonly Segment[];
}

/**
 * Takes out of a log what its archive holds, after every segment that is not yet taken out was read again from end to
 * end, with its snapshot, and held against the log. Refused when the last can't be read by this code: then nobody could
 * start without replaying the archive.
 */
export async function trim<State>(
  log: TrimmableLog,
  archive: Archive,
  snapshots: Omit<SnapshotRules<State>, 'store'>,
): Promise<Result<Trimmed>> {
  try {
    const segments = await archive.segments();
    const { first } = await log.begins();
    const ready = segments.filter((s) => s.last.seq >= first);
    const last = ready.at(-1);
    if (last === undefined) return ok({ messages: 0, segments: [] });
    if (last.state.codeVersion !== snapshots.codeVersion)
      return err(
        problem(
          'refused',
          `the snapshot of ${last.name} is of code ${last.state.codeVersion}, which this one does not read: seal a further segment first`,
        ),
      );
    for (const segment of ready) {
      const verified = await archive.verify(segment, snapshots);
      if (!verified.ok) return verified;
      const held = await isInLog(log, segment, archive);
      if (!held.ok) return held;
    }
    const trimmed = await log.trim(last.last.seq + 1, last.name);
    return trimmed.ok ? ok({ messages: last.last.seq + 1 - first, segments: ready }) : trimmed;
  } catch (cause) {
    if (cause instanceof ProblemError) return err(cause.problem);
    throw cause;
  }
}

/** Its last message is that of the log at that place: by the chain, so are all before it. */
async function isInLog(log: CommitLog, { name, last }: Segment, archive: Archive): Promise<Result<void>> {
  for await (const [message] of log.read(last.seq)) {
    if (message === undefined) continue;
    if (message.seq === last.seq && archive.hash(message.bytes) === last.hash) return ok(undefined);
    break;
  }
  return err(
    problem('refused', `${name} is of another log: message ${last.seq} is not the one that it ends with`),
  );
}

/** Reads all that there is, archive and log, into a state: what the log would have made of it, uncut. */
export async function replayAll<State, Event>(
  log: CommitLog,
  archive: Archive,
  rules: ReplicaRules<State, Event>,
): Promise<Result<Replica<State, Event>>> {
  try {
    const whole = new ArchivedLog(log, archive);
    const read = await catchUp(whole, await startReplica(whole, rules));
    return read.ok ? read : err(poisonProblem(read.error));
  } catch (cause) {
    if (cause instanceof ProblemError) return err(cause.problem);
    throw cause;
  }
}
