import { err, invalid, ok, type Result } from '#kernel';
import {
  appendEach,
  checkHeld,
  type AppendError,
  type Following,
  type LogBegin,
  type NewMessage,
  type StoredMessage,
  type Topic,
  type TrimmableLog,
} from './commit-log.js';

const BATCH = 512;

interface Follower {
  next: number;
  readonly handler: (message: StoredMessage) => void;
  readonly onEnd: (cause: unknown) => void;
}

/** The log in memory, as strict as a server: for tests, for replays of files, and as the model of the contract. */
export class InMemoryLog implements TrimmableLog {
  readonly #messages: (StoredMessage & { readonly id: string })[] = [];
  #begin: LogBegin = { first: 1 };
  readonly #seqById = new Map<string, number>();
  readonly #followers = new Set<Follower>();

  constructor(readonly maxBytes = 1024 * 1024) {}

  append(
    message: NewMessage,
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return Promise.resolve(this.#store(message, expectedLastSeq, previousId));
  }

  appendRun(
    messages: readonly NewMessage[],
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return appendEach(this, messages, expectedLastSeq, previousId);
  }

  #store(
    message: NewMessage,
    expectedLastSeq: number,
    previousId: string | undefined,
  ): Result<{ readonly seq: number }, AppendError> {
    if (message.bytes.length > this.maxBytes) return err('too-large');
    const stored = this.#seqById.get(message.id);
    if (stored !== undefined) {
      return stored === expectedLastSeq + 1 ? ok({ seq: stored }) : err('wrong-last-sequence');
    }
    if (this.#messages.length !== expectedLastSeq) return err('wrong-last-sequence');
    if (previousId !== undefined && this.#messages.at(-1)?.id !== previousId)
      return err('wrong-last-sequence');
    const seq = expectedLastSeq + 1;
    const { id, topic } = message;
    this.#messages.push({ seq, topic, id, bytes: message.bytes.slice() });
    this.#seqById.set(id, seq);
    for (const follower of this.#followers) this.#wake(follower);
    return ok({ seq });
  }

  async *read(fromSeq: number, topic?: Topic): AsyncIterable<readonly StoredMessage[]> {
    const end = this.#messages.length;
    if (fromSeq <= end) checkHeld(fromSeq, this.#begin);
    for (let at = Math.max(fromSeq, 1) - 1; at < end; at += BATCH) {
      const batch = this.#messages.slice(at, Math.min(at + BATCH, end));
      yield await Promise.resolve(topic === undefined ? batch : batch.filter((m) => m.topic === topic));
    }
  }

  follow(
    fromSeq: number,
    handler: (message: StoredMessage) => void,
    onEnd: (cause: unknown) => void,
  ): Following {
    const follower: Follower = { next: Math.max(fromSeq, 1), handler, onEnd };
    this.#followers.add(follower);
    this.#wake(follower);
    return {
      stop: () => {
        this.#followers.delete(follower);
        return Promise.resolve();
      },
    };
  }

  last(): Promise<number> {
    return Promise.resolve(this.#messages.length);
  }

  begins(): Promise<LogBegin> {
    return Promise.resolve(this.#begin);
  }

  trim(first: number, archive: string): Promise<Result<void>> {
    if (first > this.#messages.length)
      return Promise.resolve(err(invalid('first', first, 'would take out the last message')));
    if (first > this.#begin.first) this.#begin = { first, archive };
    return Promise.resolve(ok(undefined));
  }

  /** Delivers in a later task, as a network would, so that no handler runs inside an append. */
  #wake(follower: Follower): void {
    queueMicrotask(() => {
      try {
        let message;
        while (this.#followers.has(follower) && (message = this.#messages[follower.next - 1])) {
          checkHeld(follower.next, this.#begin);
          follower.next++;
          follower.handler(message);
        }
      } catch (cause) {
        this.#followers.delete(follower);
        follower.onEnd(cause);
      }
    });
  }
}
