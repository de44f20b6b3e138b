import {
  createInbox,
  headers,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { err, ok, type Result } from '#kernel';
import { type PutError } from '#protocol';

export interface Expectation {
  readonly msgId: string;
  readonly lastSeq: number;
  /** Id of the message that must be the last one; null leaves that to the sequence. */
  readonly lastMsgId: string | null;
}

type Answer = Result<{ readonly seq: number }, PutError>;

interface Pending {
  readonly since: number;
  readonly lastSeq: number;
  readonly resolve: (answer: Answer) => void;
}

/** Server's error codes: wrong last sequence, wrong last message id, message too large. */
const WRONG_LAST = new Set([10070, 10071]);
const TOO_LARGE = 10054;

/** Publishes to a stream, many at a time, over one subscription for all answers. Bound to one connection. */
export class PutInbox {
  private readonly pending = new Map<string, Pending>();
  private readonly prefix: string;
  private readonly subscription: Subscription;
  private readonly timer: NodeJS.Timeout;
  private next = 0;

  constructor(
    private readonly nc: NatsConnection,
    inboxPrefix: string,
    timeoutMs: number,
  ) {
    this.prefix = `${createInbox(inboxPrefix)}.`;
    const callback = (error: Error | null, msg: Msg): void => {
      if (error === null) this.answered(msg);
    };
    this.subscription = nc.subscribe(`${this.prefix}*`, { callback });
    this.timer = setInterval(() => this.expire(performance.now() - timeoutMs), Math.min(timeoutMs / 4, 250));
    this.timer.unref();
  }

  publish(subject: string, bytes: Uint8Array, expect: Expectation): Promise<Answer> {
    const token = String(this.next++);
    const h = headers();
    h.set('Nats-Msg-Id', expect.msgId);
    h.set('Nats-Expected-Last-Sequence', String(expect.lastSeq));
    if (expect.lastMsgId !== null) h.set('Nats-Expected-Last-Msg-Id', expect.lastMsgId);
    try {
      this.nc.publish(subject, bytes, { reply: this.prefix + token, headers: h });
    } catch {
      // Nothing left this process: the connection is closing, or the message is over the server's limit.
      return Promise.resolve(err(this.nc.isClosed() || this.nc.isDraining() ? 'unavailable' : 'too-large'));
    }
    const { lastSeq } = expect;
    return new Promise((resolve) => this.pending.set(token, { since: performance.now(), lastSeq, resolve }));
  }

  /** What waits gets no answer any more: the connection was lost, or this is the end. */
  giveUp(): void {
    this.expire(Number.POSITIVE_INFINITY);
  }

  close(): void {
    clearInterval(this.timer);
    this.subscription.unsubscribe();
    this.giveUp();
  }

  private answered(msg: Msg): void {
    const token = msg.subject.slice(this.prefix.length);
    const waiting = this.pending.get(token);
    this.pending.delete(token);
    waiting?.resolve(readAnswer(msg, waiting.lastSeq));
  }

  private expire(before: number): void {
    for (const [token, { since, resolve }] of this.pending) {
      if (since >= before) return;
      this.pending.delete(token);
      resolve(err('unknown'));
    }
  }
}

function readAnswer(msg: Msg, lastSeq: number): Answer {
  // No responders: there is no such stream at the moment.
  if (msg.headers?.code === 503) return err('unavailable');
  try {
    const ack = JSON.parse(msg.string()) as { seq?: number; error?: { err_code?: number } };
    if (ack.error !== undefined) return err(errorOf(ack.error.err_code ?? 0));
    if (typeof ack.seq !== 'number') return err('unknown');
    return ack.seq === lastSeq + 1 ? ok({ seq: ack.seq }) : err('wrong-last-sequence');
  } catch {
    // An answer that can't be read says nothing about what happened.
    return err('unknown');
  }
}

function errorOf(code: number): PutError {
  if (WRONG_LAST.has(code)) return 'wrong-last-sequence';
  return code === TOO_LARGE ? 'too-large' : 'unavailable';
}
