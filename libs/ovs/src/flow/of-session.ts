import { problem, ProblemError, type Clock } from '#kernel';
import { decode, encode, Framer, type OfMessage } from '#openflow';
import { refusal, type OfError } from './of-problems.js';

/** One of several messages that the switch refused, by its place among them. */
export interface OfFault {
  readonly index: number;
  readonly error: OfError;
}

export interface OfBatch {
  /** Sends, and resolves behind a barrier with all faults of the batch so far. */
  perform(messages: readonly OfMessage[]): Promise<readonly OfFault[]>;
  end(): void;
}

interface Pending {
  reply(message: OfMessage): void;
  fail(cause: ProblemError): void;
}

/**
 * One OpenFlow 1.5 conversation over a stream that somebody else owns: requests find their replies by xid, parts of
 * a multipart reply are joined, refusals find the message they mean. A conversation that ended fails what was
 * outstanding as `unknown`.
 */
export class OfSession {
  private readonly framer = new Framer();
  private readonly pending = new Map<number, Pending>();
  /** Refusals of messages that have no reply of their own, by xid; collected by the barrier behind them. */
  private readonly refused = new Map<number, OfError>();
  /** The xids of each batch under way. */
  private readonly watched = new Set<ReadonlyMap<number, number>>();
  private lastXid = 0;
  private ended: string | undefined;

  /** `told` gets whatever is no reply: packet-ins, flow updates, port changes, hello. */
  constructor(
    private readonly write: (bytes: Uint8Array) => void,
    private readonly told: (message: OfMessage) => void,
    private readonly clock: Clock,
    private readonly timeoutMs = 10_000,
  ) {}

  /** Sends without expecting anything. */
  send(message: OfMessage): void {
    this.write(encode(message, this.xid()));
  }

  /** Sends and resolves with the reply, all its parts. Rejects with a ProblemError, `refused` if the switch says no. */
  async ask<K extends OfMessage['kind']>(
    request: OfMessage,
    expected: K,
  ): Promise<readonly Extract<OfMessage, { kind: K }>[]> {
    const xid = this.xid();
    const reply = this.expect(xid, expected);
    this.write(encode(request, xid));
    return (await reply) as readonly Extract<OfMessage, { kind: K }>[];
  }

  /**
   * Sends the messages and a barrier behind them; resolves with what the switch refused when it has worked on all of
   * them. Nothing is undone.
   */
  async perform(messages: readonly OfMessage[]): Promise<readonly OfFault[]> {
    const batch = this.batch();
    try {
      return await batch.perform(messages);
    } finally {
      batch.end();
    }
  }

  /**
   * Like `perform`, for messages that may also be refused later, by what follows them: faults name the place among
   * all messages of the batch. To be ended by its user.
   */
  batch(): OfBatch {
    const xids = new Map<number, number>();
    this.watched.add(xids);
    return {
      perform: async (messages) => {
        const encoded = messages.map((message) => {
          const xid = this.xid();
          xids.set(xid, xids.size);
          return encode(message, xid);
        });
        const barrier = this.xid();
        const reply = this.expect(barrier, 'barrier-reply');
        this.write(Buffer.concat([...encoded, encode({ kind: 'barrier-request' }, barrier)]));
        await reply;
        return [...xids].flatMap(([xid, index]) => {
          const error = this.refused.get(xid);
          return error === undefined ? [] : [{ index, error }];
        });
      },
      end: () => {
        this.watched.delete(xids);
        for (const xid of xids.keys()) this.refused.delete(xid);
      },
    };
  }

  /** Takes bytes of the switch; the returned text says why the stream is beyond use. */
  receive(chunk: Uint8Array): string | undefined {
    const frames = this.framer.push(chunk);
    if (!frames.ok) return frames.error.message;
    for (const frame of frames.value) {
      const decoded = decode(frame);
      if (!decoded.ok) return decoded.error.message;
      this.dispatch(decoded.value.message, decoded.value.xid);
    }
    return undefined;
  }

  /** Fails all that is outstanding. */
  end(reason: string): void {
    this.ended = reason;
    const cause = new ProblemError(problem('unknown', `OpenFlow: ${reason}`));
    for (const waiting of [...this.pending.values()]) waiting.fail(cause);
    this.pending.clear();
  }

  /** Resolves with the reply's parts; an error with that xid rejects. */
  private expect(xid: number, expected: OfMessage['kind']): Promise<readonly OfMessage[]> {
    if (this.ended !== undefined) {
      return Promise.reject(new ProblemError(problem('unavailable', `OpenFlow: ${this.ended}`)));
    }
    return new Promise((resolve, reject) => {
      const parts: OfMessage[] = [];
      const done = (act: () => void) => {
        cancel();
        this.pending.delete(xid);
        act();
      };
      const late = problem('unknown', `OpenFlow: no ${expected} in ${this.timeoutMs} ms`);
      const fail = (cause: ProblemError) => done(() => reject(cause));
      const cancel = this.clock.after(this.timeoutMs, () => fail(new ProblemError(late)));
      const reply = (message: OfMessage) => {
        if (message.kind === 'error') {
          return fail(
            new ProblemError(refusal('OpenFlow', [{ field: expected, value: undefined, error: message }])),
          );
        }
        if (message.kind !== expected) return;
        parts.push(message);
        if (!('more' in message) || !message.more) done(() => resolve(parts));
      };
      this.pending.set(xid, { reply, fail });
    });
  }

  private dispatch(message: OfMessage, xid: number): void {
    if (message.kind === 'echo-request') {
      this.write(encode({ kind: 'echo-reply', data: message.data }, xid));
      return;
    }
    const waiting = this.pending.get(xid);
    if (waiting) waiting.reply(message);
    else if (message.kind === 'error' && this.isWatched(xid)) this.refused.set(xid, message);
    else this.told(message);
  }

  private isWatched(xid: number): boolean {
    for (const xids of this.watched) if (xids.has(xid)) return true;
    return false;
  }

  /** Never 0: that is what the switch itself begins a talk with. */
  private xid(): number {
    this.lastXid = (this.lastXid % 0xfffffffe) + 1;
    return this.lastXid;
  }
}
