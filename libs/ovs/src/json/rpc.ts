import { problem, ProblemError, type Clock, type Problem } from '#kernel';
import { JsonStream, type JsonStreamLimits } from './json-stream.js';

export interface RpcOptions {
  readonly clock: Clock;
  /** Milliseconds until a request without a reply fails as `unknown`. */
  readonly timeoutMs?: number;
  readonly limits?: JsonStreamLimits;
  /** Every call the peer makes without wanting a reply (`update`, `update2`…). */
  readonly notified?: (method: string, params: readonly unknown[]) => void;
}

interface Pending {
  readonly method: string;
  settle(outcome: { readonly value: unknown } | { readonly problem: Problem }): void;
}

/** The peer answered a request with an error; `error` is what it sent, of any shape. */
export class RpcRefusal extends Error {
  constructor(
    readonly method: string,
    readonly error: unknown,
  ) {
    super(`${method}: ${typeof error === 'string' ? error : JSON.stringify(error)}`);
    this.name = 'RpcRefusal';
  }
}

/**
 * One JSON-RPC 1.0 session over a stream that somebody else owns. Answers the peer's `echo`. A session that ended
 * fails what was outstanding as `unknown`: it is not known whether the peer did it.
 */
export class RpcSession {
  private readonly stream: JsonStream;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private ended: string | undefined;

  constructor(
    private readonly send: (text: string) => void,
    private readonly options: RpcOptions,
  ) {
    this.stream = new JsonStream(options.limits);
  }

  /** Resolves with the result as the peer sent it; rejects with RpcRefusal or ProblemError. */
  request(method: string, params: readonly unknown[], timeoutMs?: number): Promise<unknown> {
    if (this.ended !== undefined) {
      return Promise.reject(new ProblemError(problem('unavailable', `${method}: ${this.ended}`)));
    }
    const id = this.nextId++;
    const limit = timeoutMs ?? this.options.timeoutMs ?? 10_000;
    return new Promise((resolve, reject) => {
      const cancel = this.options.clock.after(limit, () =>
        this.settle(id, { problem: problem('unknown', `${method}: no reply in ${limit} ms`) }),
      );
      this.pending.set(id, {
        method,
        settle: (outcome) => {
          cancel();
          if ('value' in outcome) resolve(outcome.value);
          else reject(new ProblemError(outcome.problem));
        },
      });
      this.send(JSON.stringify({ method, params, id }));
    }).then((reply) => {
      const { result, error } = reply as { result: unknown; error: unknown };
      if (error !== null && error !== undefined) throw new RpcRefusal(method, error);
      return result;
    });
  }

  /** Takes bytes of the peer; the returned problem means that the stream is beyond use. */
  receive(chunk: Buffer): Problem | undefined {
    const messages = this.stream.push(chunk);
    if (!messages.ok) return messages.error;
    for (const message of messages.value) this.dispatch(message);
    return undefined;
  }

  /** Fails all that is outstanding. */
  end(reason: string): void {
    this.ended = reason;
    for (const [id, waiting] of [...this.pending]) {
      this.settle(id, { problem: problem('unknown', `${waiting.method}: ${reason}`) });
    }
  }

  private dispatch(message: Record<string, unknown>): void {
    const { method, id } = message;
    if (typeof method !== 'string') {
      // A reply that nobody waits for (its request timed out) is of no use to anyone.
      if (typeof id === 'number') this.settle(id, { value: message });
      return;
    }
    const params = Array.isArray(message['params']) ? (message['params'] as unknown[]) : [];
    if (method === 'echo') this.send(JSON.stringify({ result: params, error: null, id: id ?? null }));
    else if (id === null || id === undefined) this.options.notified?.(method, params);
    else this.send(JSON.stringify({ result: null, error: 'unknown method', id }));
  }

  private settle(id: number, outcome: Parameters<Pending['settle']>[0]): void {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    waiting?.settle(outcome);
  }
}
