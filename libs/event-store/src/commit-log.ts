import { err, problem, ProblemError, type Result } from '#kernel';

/**
 * Why an append did not answer with a sequence.
 *
 * - `wrong-last-sequence`: another message stands where this one was to go; not stored by this attempt.
 * - `unavailable`: certainly not stored by this attempt.
 * - `unknown`: no answer came; it may be stored, now or later. Appending the same id and bytes again is safe.
 * - `too-large`: more than `maxBytes`; not stored.
 */
export type AppendError = 'wrong-last-sequence' | 'unavailable' | 'unknown' | 'too-large';

/** Routing of a message. Repudiations have their own, so that readers find them without reading everything. */
export type Topic = 'commit' | 'chunk' | 'repudiation';

export interface NewMessage {
  /** Unique for ever; a second append of the same id never stores twice. */
  readonly id: string;
  readonly topic: Topic;
  readonly bytes: Uint8Array;
}

export interface StoredMessage {
  /** Position in the store: 1, 2, 3… without gaps. Opaque outside; not a revision. */
  readonly seq: number;
  readonly topic: Topic;
  readonly bytes: Uint8Array;
}

/** What a log still holds itself. */
export interface LogBegin {
  /** Sequence of its first message; 1: nothing was taken out. */
  readonly first: number;
  /** Name of the archive that holds what stood right before it. */
  readonly archive?: string;
  /** Why that archive can't be used here. */
  readonly obstacle?: string;
}

/** What was asked for was archived and taken out of the log, and the archive can't be read from here. */
export class ArchivedError extends ProblemError {
  constructor(
    what: string,
    readonly begin: LogBegin,
  ) {
    const { archive = 'one whose name is not known', obstacle = 'this service reads no archive' } = begin;
    super(problem('refused', `${what} was archived: it is in ${archive}; ${obstacle}`));
    this.name = 'ArchivedError';
  }
}

/** Throws when a message is not in the log any more. */
export function checkHeld(fromSeq: number, begin: LogBegin): void {
  if (Math.max(fromSeq, 1) < begin.first)
    throw new ArchivedError(`the log up to its message ${begin.first - 1}`, begin);
}

/** A running `follow`. */
export interface Following {
  /** Resolves when the handler will not be called again. Idempotent. */
  stop(): Promise<void>;
}

/**
 * The log as the store offers it: messages in one order, appended under an expectation, never changed.
 * What is read is what was stored, without interpretation.
 */
export interface CommitLog {
  /** Largest message, in bytes, that `append` takes. */
  readonly maxBytes: number;
  /**
   * Stores the message at `expectedLastSeq + 1`, or not at all. Calls may overlap: with expectations n, n+1, n+2…
   * given without waiting, they are stored in that order.
   *
   * An append that overlaps the one before it must name that one's id as `previousId`: the sequence alone may be
   * satisfied by another writer's message at that place, and a fenced writer's later appends would slip in.
   */
  append(
    message: NewMessage,
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>>;
  /**
   * Stores the messages, at least one, at `expectedLastSeq + 1`, `+ 2`, … in this order, each only behind the one
   * before it. So the answer for the last is one for all: `ok` with its sequence means that every one of them is
   * stored at its place. After an error some of the first may be stored all the same, but for `unavailable` and
   * `too-large`: then none was stored by this attempt. Otherwise as `append`, and may overlap with other calls.
   */
  appendRun(
    messages: readonly NewMessage[],
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>>;
  /**
   * Batches, in order, from `fromSeq` (1 is the first) to the end known at the call. Throws ProblemError; an
   * ArchivedError when messages from there on were taken out.
   */
  read(fromSeq: number, topic?: Topic): AsyncIterable<readonly StoredMessage[]>;
  /**
   * Every message from `fromSeq` on, in order, once, without end, across reconnects. An exception of the handler
   * ends the following and goes to `onEnd`, as does an ArchivedError when what comes next was taken out; `stop` ends
   * it without. `onAgain`: reading was begun anew, as after a lost connection; what answers now may hold an older copy
   * of the log.
   */
  follow(
    fromSeq: number,
    handler: (message: StoredMessage) => void,
    onEnd: (cause: unknown) => void,
    onAgain?: () => void,
  ): Following;
  /** Sequence of the last message; 0 of an empty log. Throws ProblemError when the store can't be asked. */
  last(): Promise<number>;
  /** Throws ProblemError when the store can't be asked. */
  begins(): Promise<LogBegin>;
}

/** A log that can let go of its beginning. */
export interface TrimmableLog extends CommitLog {
  /**
   * Takes out every message before `first`, for good; never the last one. `archive` names what holds them now, for those
   * who ask. Refused by a stream that was made never to let anything go.
   */
  trim(first: number, archive: string): Promise<Result<void>>;
}

/** A run as single appends that overlap: for logs to which asking for one answer only would save nothing. */
export async function appendEach(
  log: Pick<CommitLog, 'append' | 'maxBytes'>,
  messages: readonly NewMessage[],
  expectedLastSeq: number,
  previousId?: string,
): Promise<Result<{ readonly seq: number }, AppendError>> {
  if (messages.some(({ bytes }) => bytes.length > log.maxBytes)) return err('too-large');
  const answers = await Promise.all(
    messages.map((message, i) =>
      log.append(message, expectedLastSeq + i, i === 0 ? previousId : messages[i - 1]!.id),
    ),
  );
  const answer = answers.at(-1)!;
  if (answer.ok || answer.error !== 'unavailable') return answer;
  return answers.every((a) => !a.ok && a.error === 'unavailable') ? answer : err('unknown');
}
