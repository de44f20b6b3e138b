import { ProblemError, type Result } from '#kernel';
import {
  ArchivedError,
  type AppendError,
  type CommitLog,
  type Following,
  type LogBegin,
  type NewMessage,
  type StoredMessage,
  type Topic,
} from '../commit-log.js';
import { decodeEnvelope } from '../envelope-decode.js';
import { type Archive } from './archive.js';
import { type Segment } from './segment.js';

/**
 * A log with what was taken out of it: reads go through the archive's segments and on in the log, as if nothing had been
 * archived. An archive that can't be used is said with the reason, and only to those who ask for what it holds.
 */
export class ArchivedLog implements CommitLog {
  #usable: { readonly first: number; readonly segments: readonly Segment[] } | undefined;

  constructor(
    readonly log: CommitLog,
    readonly archive: Archive,
  ) {}

  get maxBytes(): number {
    return this.log.maxBytes;
  }

  append(
    message: NewMessage,
    expected: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return this.log.append(message, expected, previousId);
  }

  appendRun(
    messages: readonly NewMessage[],
    expected: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return this.log.appendRun(messages, expected, previousId);
  }

  async *read(fromSeq: number, topic?: Topic): AsyncIterable<readonly StoredMessage[]> {
    const begin = await this.log.begins();
    const from = Math.max(fromSeq, 1);
    if (from < begin.first) {
      for (const segment of await this.#segments(begin)) {
        if (segment.last.seq < from || segment.before.seq >= begin.first - 1) continue;
        for await (const messages of this.archive.read(segment, from))
          yield topic === undefined ? messages : messages.filter((m) => m.topic === topic);
      }
    }
    yield* this.log.read(Math.max(from, begin.first), topic);
  }

  follow(
    fromSeq: number,
    handler: (message: StoredMessage) => void,
    onEnd: (cause: unknown) => void,
    onAgain?: () => void,
  ): Following {
    return this.log.follow(fromSeq, handler, onEnd, onAgain);
  }

  last(): Promise<number> {
    return this.log.last();
  }

  /** 1 when the archive reaches back to the first message; otherwise what the log says, and why the archive does not. */
  async begins(): Promise<LogBegin> {
    const begin = await this.log.begins();
    if (begin.first === 1) return begin;
    try {
      await this.#segments(begin);
      return { first: 1 };
    } catch (cause) {
      if (cause instanceof ArchivedError) return cause.begin;
      throw cause;
    }
  }

  /** Those that hold what the log has let go of, up to the very message that its first one follows. */
  async #segments(begin: LogBegin): Promise<readonly Segment[]> {
    if (this.#usable?.first === begin.first) return this.#usable.segments;
    const { place } = this.archive.store;
    const unusable = (why: string): ArchivedError =>
      new ArchivedError(`the log up to its message ${begin.first - 1}`, {
        ...begin,
        obstacle: `the archive in ${place} can't be used: ${why}`,
      });
    let segments: readonly Segment[];
    try {
      segments = await this.archive.segments();
    } catch (cause) {
      if (!(cause instanceof ProblemError)) throw cause;
      throw unusable(cause.problem.message);
    }
    const last = segments.find((s) => s.last.seq === begin.first - 1);
    if (last === undefined) throw unusable(`it has no segment that ends at message ${begin.first - 1}`);
    const follows = await this.#prevhashOfFirst(begin.first);
    if (follows !== last.last.hash)
      throw unusable(
        `${last.name} is of another log: it ends with ${last.last.hash}, and this one follows ${follows}`,
      );
    this.#usable = { first: begin.first, segments };
    return segments;
  }

  async #prevhashOfFirst(first: number): Promise<string | undefined> {
    for await (const [message] of this.log.read(first)) {
      if (message === undefined) continue;
      const decoded = decodeEnvelope(message.bytes);
      return decoded.ok ? decoded.value.prevhash : undefined;
    }
    return undefined;
  }
}
