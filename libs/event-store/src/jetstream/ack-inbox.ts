import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { err, ok, type Result } from '#kernel';
import { type AppendError, type NewMessage, type Topic } from '../commit-log.js';
import { appendHeaders } from './append-headers.js';
import { type Link } from './link.js';

/** One publication that waits for its ack. */
interface Pending {
  /** Counted in sweeps: a clock read for each would be felt. */
  readonly since: number;
  /** Where the message that asks is to stand behind. */
  readonly lastSeq: number;
  /** It was not the last of several, of which others may be stored if it isn't. */
  readonly alone: boolean;
  readonly resolve: (result: Result<Ack, AppendError>) => void;
}

export interface Ack {
  readonly seq: number;
}

/** Codes of the server's answer, see its errors.json. */
const WRONG_LAST_SEQUENCE = new Set([10071, 10070, 10164]);
const TOO_LARGE = 10054;
/** Sweeps in the time that an ack may take. */
const SWEEPS = 8;

/**
 * Publishes to a stream and matches the acks by one subscription of its own: a request for each would cost several
 * times as much. One sweep ends what waited too long; a lost connection ends all that wait.
 */
export class AckInbox {
  readonly #pending = new Map<number, Pending>();
  readonly #prefix: string;
  readonly #sweep: NodeJS.Timeout;
  #next = 0;
  #sweeps = 0;
  readonly #off: () => void;
  readonly #subscription;

  constructor(
    readonly nc: NatsConnection,
    readonly link: Link,
    readonly timeoutMs: number,
    inboxPrefix?: string,
  ) {
    this.#prefix = `${createInbox(inboxPrefix)}.`;
    this.#subscription = nc.subscribe(`${this.#prefix}*`, {
      callback: (error, msg) => {
        if (error === null) this.#onAck(msg);
      },
    });
    this.#sweep = setInterval(() => this.#expire(), timeoutMs / SWEEPS);
    this.#sweep.unref();
    // While the connection is down nothing is sent, so that nothing is stored late that was given up.
    this.#off = link.onChange((up) => {
      if (!up) this.#endAll();
    });
  }

  /**
   * Only the last of a run asks for an ack. Each names its predecessor, so that the server stores the last behind
   * all others or not at all.
   */
  publish(
    subjects: Readonly<Record<Topic, string>>,
    run: readonly NewMessage[],
    { lastSeq, lastMsgId }: { readonly lastSeq: number; readonly lastMsgId: string | undefined },
  ): Promise<Result<Ack, AppendError>> {
    if (!this.link.up) return Promise.resolve(err('unavailable'));
    const token = this.#next++;
    const last = run.length - 1;
    let previous = lastMsgId;
    for (let i = 0; i <= last; i++) {
      const { id, topic, bytes } = run[i]!;
      const headers = appendHeaders({ msgId: id, lastSeq: lastSeq + i, lastMsgId: previous });
      try {
        this.nc.publish(
          subjects[topic],
          bytes,
          i < last ? { headers } : { headers, reply: this.#prefix + token },
        );
      } catch {
        // This one has not left the process: the connection is closing, or the message is over its limit.
        if (i > 0) return Promise.resolve(err('unknown'));
        return Promise.resolve(err(this.nc.isClosed() || this.nc.isDraining() ? 'unavailable' : 'too-large'));
      }
      previous = id;
    }
    const waiting = { since: this.#sweeps, lastSeq: lastSeq + last, alone: last === 0 };
    return new Promise((resolve) => this.#pending.set(token, { ...waiting, resolve }));
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#off();
    this.#subscription.unsubscribe();
    this.#endAll();
  }

  #onAck(msg: Msg): void {
    const token = Number(msg.subject.slice(this.#prefix.length));
    const waiting = this.#pending.get(token);
    if (waiting === undefined) return;
    this.#pending.delete(token);
    const ack = readAck(msg, waiting.lastSeq);
    const refused = !ack.ok && ack.error !== 'wrong-last-sequence';
    waiting.resolve(refused && !waiting.alone ? err('unknown') : ack);
  }

  #expire(): void {
    const limit = ++this.#sweeps - SWEEPS - 1;
    for (const [token, { since, resolve }] of this.#pending) {
      if (since > limit) return;
      this.#pending.delete(token);
      resolve(err('unknown'));
    }
  }

  #endAll(): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { resolve } of all) resolve(err('unknown'));
  }
}

function readAck(msg: Msg, lastSeq: number): Result<Ack, AppendError> {
  // No responders: there is no such stream at the moment.
  if (msg.headers?.code === 503) return err('unavailable');
  try {
    const ack = JSON.parse(msg.string()) as {
      readonly seq?: number;
      readonly error?: { readonly err_code?: number };
    };
    if (ack.error !== undefined) return err(appendError(ack.error.err_code));
    if (typeof ack.seq !== 'number') return err('unknown');
    // A duplicate is our own earlier attempt, if it stands where it was to go.
    return ack.seq === lastSeq + 1 ? ok({ seq: ack.seq }) : err('wrong-last-sequence');
  } catch {
    // An answer that can't be read says nothing about what happened.
    return err('unknown');
  }
}

function appendError(code: number | undefined): AppendError {
  if (code === undefined) return 'unknown';
  if (WRONG_LAST_SEQUENCE.has(code)) return 'wrong-last-sequence';
  return code === TOO_LARGE ? 'too-large' : 'unavailable';
}
