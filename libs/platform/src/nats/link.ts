import { unwrap } from '#kernel';
import { connect, type NatsConnection, type Status } from '@nats-io/transport-node';
import { connectionOptions, reconnectDelay, type NatsOptions } from './options.js';

export type LinkState = 'connecting' | 'connected' | 'disconnected' | 'closed';

/** Told of each change, with the reason where there is one. */
export type LinkListener = (state: LinkState, reason: string | undefined) => void;

/**
 * One connection to NATS for a process's whole life. `open` returns at once and keeps trying, so a service starts
 * (and an agent carries on from its disk) without NATS; who needs the connection awaits `connection()`.
 */
export class NatsLink {
  private nc: NatsConnection | undefined;
  private stateNow: LinkState = 'connecting';
  private lastReason: string | undefined;
  private readonly listeners = new Set<LinkListener>();
  private readonly first: Promise<NatsConnection>;
  private settleFirst!: { resolve(nc: NatsConnection): void; reject(error: Error): void };
  private opening: Promise<void> | undefined;
  private wake: (() => void) | undefined;
  private prefix = '_INBOX';

  constructor(private readonly options: NatsOptions) {
    this.first = new Promise((resolve, reject) => {
      this.settleFirst = { resolve, reject };
    });
    // Whoever awaits `connection()` sees the rejection; nobody has to.
    this.first.catch(() => undefined);
  }

  static open(options: NatsOptions): NatsLink {
    const link = new NatsLink(options);
    link.start();
    return link;
  }

  start(): void {
    this.opening ??= this.dial();
  }

  /** The connection once first made; later it reconnects by itself. Rejects when closed before. */
  connection(): Promise<NatsConnection> {
    return this.first;
  }

  /** The connection if it is up right now. */
  current(): NatsConnection | undefined {
    return this.stateNow === 'connected' ? this.nc : undefined;
  }

  /** Where this user may listen for replies, once connected: for those who make reply subjects of their own. */
  get inboxPrefix(): string {
    return this.prefix;
  }

  state(): { readonly state: LinkState; readonly reason: string | undefined } {
    return { state: this.stateNow, reason: this.lastReason };
  }

  /** Returns the function that stops listening. */
  onState(listener: LinkListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Sends what is pending, lets subscriptions finish, closes. Gives up on a server that is gone after `limitMs`. */
  async close(limitMs = 3_000): Promise<void> {
    if (this.stateNow === 'closed') return;
    const up = this.stateNow === 'connected';
    this.set('closed', undefined);
    this.wake?.();
    this.settleFirst.reject(new Error('the link was closed'));
    await this.opening;
    if (this.nc === undefined || this.nc.isClosed()) return;
    if (!up) return this.nc.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), limitMs);
    });
    const outcome = await Promise.race([this.nc.drain().catch(() => 'late' as const), late]);
    clearTimeout(timer);
    if (outcome === 'late') await this.nc.close();
  }

  private async dial(): Promise<void> {
    while (this.stateNow !== 'closed') {
      try {
        const options = unwrap(await connectionOptions(this.options));
        const nc = await connect(options);
        this.nc = nc;
        this.prefix = options.inboxPrefix ?? this.prefix;
        if (this.state().state === 'closed') return;
        this.set('connected', undefined);
        void this.watch(nc);
        this.settleFirst.resolve(nc);
        return;
      } catch (error) {
        this.set('connecting', (error as Error).message);
        await this.pause(reconnectDelay());
      }
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async watch(nc: NatsConnection): Promise<void> {
    for await (const status of nc.status()) this.note(status);
    const error = await nc.closed();
    if (this.stateNow !== 'closed') this.set('closed', error instanceof Error ? error.message : undefined);
  }

  private note(status: Status): void {
    if (status.type === 'disconnect' || status.type === 'staleConnection')
      this.set('disconnected', `lost ${'server' in status ? status.server : 'the server'}`);
    else if (status.type === 'reconnect') this.set('connected', undefined);
    else if (status.type === 'error') this.lastReason = status.error.message;
  }

  private set(state: LinkState, reason: string | undefined): void {
    if (this.stateNow === 'closed') return;
    const changed = state !== this.stateNow || reason !== this.lastReason;
    this.stateNow = state;
    this.lastReason = reason;
    if (changed) for (const listener of this.listeners) listener(state, reason);
  }
}
