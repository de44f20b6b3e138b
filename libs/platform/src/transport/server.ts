import { detail, problem, type Problem } from '#kernel';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { lastValueFrom } from 'rxjs';
import { currentCorrelation, withCorrelation } from '../correlation.js';
import { isDefect, problemFromError } from '../problems/from-error.js';
import { PortolanNatsContext } from './context.js';
import { decodeJson, encodeJson, HEADER, readBudget, replyHeaders } from './wire.js';

export interface PortolanNatsServerOptions {
  readonly connection: () => Promise<NatsConnection>;
  /** Requests in hand at a time; one more is answered `unavailable`. Default 256. */
  readonly concurrency?: number;
  /** Greatest body in bytes. Default 512 KiB. */
  readonly maxBytes?: number;
  /** Whether handlers are subscribed from the start. Default true. */
  readonly active?: boolean;
  /** How long `close` waits for work in hand, ms. Default 10 s. */
  readonly drainMs?: number;
}

type RpcHandler = MessageHandler<unknown, PortolanNatsContext, unknown>;

/**
 * Commands over NATS request and reply. Subscribed only while active, so that a request finds the leader, or nobody
 * at once. Every request with a reply subject gets exactly one answer: a result or a problem.
 */
export class PortolanNatsServer extends Server implements CustomTransportStrategy {
  private nc: NatsConnection | undefined;
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly inHand = new Set<Promise<void>>();
  private active: boolean;
  private closing = false;

  constructor(private readonly options: PortolanNatsServerOptions) {
    super();
    this.active = options.active ?? true;
  }

  listen(callback: (error?: unknown) => void): void {
    this.open().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /** Takes up or lays down all handlers. Returns when the server has seen it; work in hand goes on. */
  async setActive(active: boolean): Promise<void> {
    this.active = active;
    if (this.nc === undefined || this.closing) return;
    if (active) this.subscribe(this.nc);
    else this.unsubscribe();
    if (!this.nc.isClosed()) await this.nc.flush();
  }

  isActive(): boolean {
    return this.active && !this.closing;
  }

  /** Requests being served now. */
  load(): number {
    return this.inHand.size;
  }

  /** Takes no more work, lets work in hand finish and its answers go out. The connection stays open. */
  async close(): Promise<void> {
    this.closing = true;
    this.unsubscribe();
    await this.settle(this.options.drainMs ?? 10_000);
    if (this.nc !== undefined && !this.nc.isClosed()) await this.nc.flush();
  }

  on(event: string): never {
    throw new Error(`this transport has no event ${event}; ask the connection's link`);
  }

  unwrap<T>(): T {
    return this.nc as T;
  }

  private async open(): Promise<void> {
    for (const [pattern, handler] of this.messageHandlers) {
      if (handler.isEventHandler)
        throw new Error(`${pattern}: events are not carried by this transport, only commands`);
    }
    this.nc = await this.options.connection();
    if (!this.active || this.closing) return;
    this.subscribe(this.nc);
    await this.nc.flush();
  }

  private subscribe(nc: NatsConnection): void {
    for (const [pattern, handler] of this.messageHandlers) {
      if (this.subscriptions.has(pattern)) continue;
      const callback = (error: Error | null, msg: Msg) => this.received(error, msg, handler as RpcHandler);
      this.subscriptions.set(pattern, nc.subscribe(pattern, { callback }));
    }
  }

  private unsubscribe(): void {
    for (const subscription of this.subscriptions.values()) subscription.unsubscribe();
    this.subscriptions.clear();
  }

  /** Called by the client's reader: anything thrown here would close the connection. */
  private received(error: Error | null, msg: Msg, handler: RpcHandler): void {
    try {
      if (error !== null) this.logger.error(`subscription: ${error.message}`);
      else this.accept(msg, handler);
    } catch (fault) {
      this.logger.error(fault);
    }
  }

  private accept(msg: Msg, handler: RpcHandler): void {
    if (!isAnswerable(msg.reply)) {
      this.logger.warn(`refused ${msg.subject}: ${JSON.stringify(msg.reply ?? '')} is not a reply subject`);
      return;
    }
    const refusal = this.refusal(msg);
    if (refusal !== undefined)
      return this.reply(msg, 'problem', refusal, msg.headers?.get(HEADER.correlation));
    const work = withCorrelation(msg.headers?.get(HEADER.correlation), () => this.serve(msg, handler));
    this.inHand.add(work);
    void work.finally(() => this.inHand.delete(work));
  }

  /** Why a request is not begun, if so. Nothing was done then. */
  private refusal(msg: Msg): Problem | undefined {
    const limit = this.options.concurrency ?? 256;
    const maxBytes = this.options.maxBytes ?? 512 * 1024;
    if (!this.isActive()) return problem('unavailable', 'this copy of the service does not lead');
    if (msg.data.length > maxBytes) {
      const d = detail('', `${msg.data.length} bytes`, 'is too large', `up to ${maxBytes} bytes`);
      return problem('invalid', `the request has ${msg.data.length} bytes; up to ${maxBytes} are taken`, [d]);
    }
    if (this.inHand.size >= limit)
      return problem('unavailable', `${limit} requests are in hand; try again later`);
    return undefined;
  }

  private async serve(msg: Msg, handler: RpcHandler): Promise<void> {
    const correlation = currentCorrelation() ?? '';
    const budget = readBudget(msg);
    const body = decodeJson(msg.data);
    if (!budget.ok) return this.reply(msg, 'problem', budget.error, correlation);
    if (!body.ok) return this.reply(msg, 'problem', body.error, correlation);
    if (budget.value === 0)
      return this.reply(
        msg,
        'problem',
        problem('unavailable', 'no time was left for the request'),
        correlation,
      );
    const abort = new AbortController();
    const answer = once((status: 'ok' | 'problem', value: unknown) =>
      this.reply(msg, status, value, correlation),
    );
    // At the deadline the asker is told so at once; the work keeps its slot until it really ends.
    const timer = setTimeout(() => {
      abort.abort();
      answer('problem', problem('unknown', `not finished within ${budget.value} ms; it may still be done`));
    }, budget.value);
    const context = new PortolanNatsContext(
      msg.subject,
      correlation,
      performance.now() + budget.value,
      abort.signal,
    );
    try {
      const value: unknown = await lastValueFrom(
        this.transformToObservable(await handler(body.value, context)),
        { defaultValue: null },
      );
      answer('ok', value);
    } catch (error) {
      if (isDefect(error)) this.logger.error(error);
      answer('problem', problemFromError(error));
    } finally {
      clearTimeout(timer);
    }
  }

  private reply(msg: Msg, status: 'ok' | 'problem', value: unknown, correlation: string | undefined): void {
    try {
      let data = encodeJson(value);
      let sent = status;
      const limit = this.nc?.info?.max_payload ?? Number.POSITIVE_INFINITY;
      if (data.length > limit) {
        sent = 'problem';
        data = encodeJson(
          problem('internal', `the answer has ${data.length} bytes; the server carries ${limit}`),
        );
      }
      msg.respond(data, { headers: replyHeaders(sent, correlation) });
    } catch (error) {
      // The connection is gone or closing: the asker's deadline says "unknown".
      this.logger.error(error);
    }
  }

  private async settle(limitMs: number): Promise<void> {
    if (this.inHand.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), limitMs);
    });
    const outcome = await Promise.race([Promise.allSettled([...this.inHand]), late]);
    clearTimeout(timer);
    if (outcome === 'late') this.logger.warn(`closed with ${this.inHand.size} requests unfinished`);
  }
}

/**
 * Only inboxes are answered. A service has wider rights than its askers: with any other reply subject an asker could
 * make it write where the asker itself may not (a stream's subject, for one).
 */
const isAnswerable = (reply: string | undefined): boolean =>
  reply !== undefined && (reply.startsWith('_INBOX.') || reply.startsWith('_R_.'));

function once<A extends unknown[]>(fn: (...args: A) => void): (...args: A) => void {
  let done = false;
  return (...args) => {
    if (done) return;
    done = true;
    fn(...args);
  };
}
