import { problem, ProblemError, type Clock, type Problem } from '#kernel';
import { RpcRefusal, RpcSession } from '../json/rpc.js';
import { type JsonStreamLimits } from '../json/json-stream.js';
import { type Endpoint } from '../link/endpoint.js';
import { failed, Link } from '../link/link.js';
import { KeepAlive } from '../link/keep-alive.js';
import { RowCache } from './cache.js';
import { operationProblem, rpcProblem } from './problems.js';
import { monitorRequests } from './schema.js';

const DATABASE = 'Open_vSwitch';
const MONITOR = 'portolan';

/** An operation of RFC 7047, section 5.2. */
export type OvsdbOperation = { readonly op: string } & Readonly<Record<string, unknown>>;

/** What one operation gave: `count` of rows touched, `uuid` of an inserted row, `rows` of a select. */
export interface OperationResult {
  readonly count?: number;
  readonly uuid?: readonly [string, string];
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
}

export interface OvsdbHandlers {
  /** The cache holds everything (again). */
  up(): void;
  /** The connection is lost, or the first attempt failed; more attempts follow and are not told. */
  down(reason: string): void;
  /** Rows changed; names as `Table.column`. The cache holds the new state. */
  changed(columns: ReadonlySet<string>): void;
}

export interface OvsdbOptions {
  readonly clock: Clock;
  readonly limits?: JsonStreamLimits;
  /** Milliseconds of silence until the peer is asked for a sign of life, and again until it is given up. */
  readonly probeMs?: number;
}

/** Client of a switch's database: keeps a monitored cache, transacts, reconnects. */
export class OvsdbClient {
  readonly cache = new RowCache();
  private readonly link: Link;
  private readonly keepAlive: KeepAlive;
  private session: RpcSession | undefined;
  private ready = false;
  /** An outage is told once, however many attempts fail in it. */
  private toldDown = false;

  constructor(
    endpoint: () => Endpoint | Promise<Endpoint>,
    private readonly handlers: OvsdbHandlers,
    private readonly options: OvsdbOptions,
  ) {
    this.link = new Link(
      endpoint,
      { open: () => this.open(), data: (chunk) => this.receive(chunk), down: (why) => this.lost(why) },
      { clock: options.clock },
    );
    this.keepAlive = new KeepAlive(options.clock, options.probeMs ?? 5_000, {
      probe: () => this.probe(),
      dead: (why) => this.link.drop(why),
    });
  }

  start(): void {
    this.link.start();
  }

  /** True while the cache follows the database. */
  get isUp(): boolean {
    return this.ready;
  }

  /**
   * One atomic transaction. Rejects with a ProblemError: `unavailable` when nothing was sent, `unknown` when the
   * connection was lost before the reply, else what the database said of the operation that failed.
   */
  async transact(what: string, operations: readonly OvsdbOperation[]): Promise<readonly OperationResult[]> {
    if (!this.session || !this.ready) {
      throw new ProblemError(problem('unavailable', `${what}: no connection to the switch's database`));
    }
    let reply: unknown;
    try {
      reply = await this.session.request('transact', [DATABASE, ...operations]);
    } catch (cause) {
      throw rpcProblem(cause);
    }
    return checkReply(what, operations.length, reply);
  }

  close(): void {
    this.ready = false;
    this.keepAlive.stop();
    this.link.close();
    this.session?.end('the client was closed');
    this.session = undefined;
  }

  private open(): void {
    const session = new RpcSession((text) => this.link.write(text), {
      clock: this.options.clock,
      ...(this.options.limits ? { limits: this.options.limits } : {}),
      notified: (method, params) => this.notified(session, method, params),
    });
    this.session = session;
    this.keepAlive.start();
    const drop = (reason: string): void => {
      if (this.session === session) this.link.drop(reason);
    };
    this.monitor(session)
      .then(
        (initial) => {
          if (this.session !== session) return;
          this.cache.renew(initial);
          this.ready = true;
          this.handlers.up();
          this.toldDown = false;
          this.link.settle();
        },
        (cause: unknown) => drop(rpcProblem(cause).message),
      )
      .catch((cause: unknown) => drop(failed(cause)));
  }

  /** Conditional monitoring speaks in small differences; a server older than it knows `monitor` only. */
  private async monitor(session: RpcSession): Promise<unknown> {
    const params = [DATABASE, MONITOR, monitorRequests()];
    try {
      return await session.request('monitor_cond', params);
    } catch (cause) {
      if (!(cause instanceof RpcRefusal)) throw cause;
      return session.request('monitor', params);
    }
  }

  private receive(chunk: Buffer): void {
    this.keepAlive.heard();
    const fault: Problem | undefined = this.session?.receive(chunk);
    if (fault) this.link.drop(`the database sent what can't be read: ${fault.message}`);
  }

  private notified(session: RpcSession, method: string, params: readonly unknown[]): void {
    if (this.session !== session || (method !== 'update2' && method !== 'update')) return;
    const touched = this.cache.apply(params[1]);
    if (this.ready && touched.size > 0) this.handlers.changed(touched);
  }

  private probe(): void {
    // Any byte of the answer counts as life; when it never comes the keep-alive gives up, so the request may fail.
    this.session?.request('echo', []).catch(() => undefined);
  }

  private lost(reason: string): void {
    this.keepAlive.stop();
    this.ready = false;
    this.session?.end(reason);
    this.session = undefined;
    if (this.toldDown) return;
    this.toldDown = true;
    this.handlers.down(reason);
  }
}

/** A reply has one result an operation; a failed one ends it, and a commit that failed adds one more. */
function checkReply(what: string, count: number, reply: unknown): readonly OperationResult[] {
  if (!Array.isArray(reply)) throw new ProblemError(problem('internal', `${what}: the reply is not a list`));
  for (const result of reply as (Record<string, unknown> | null)[]) {
    const error = result?.['error'];
    if (typeof error === 'string') throw new ProblemError(operationProblem(what, error, result?.['details']));
  }
  if (reply.length < count) throw new ProblemError(problem('internal', `${what}: the reply is cut short`));
  return (reply as (OperationResult | null)[]).slice(0, count).map((result) => result ?? {});
}
