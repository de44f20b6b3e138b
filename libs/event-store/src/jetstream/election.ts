import { Kvm, type KV, type KvWatchEntry } from '@nats-io/kv';
import { jetstream, JetStreamApiError } from '@nats-io/jetstream';
import { type NatsConnection, type QueuedIterator } from '@nats-io/transport-node';
import { err, ok, type Clock, type Result } from '#kernel';
import { Link } from './link.js';
import { Presence } from './presence.js';
import { refuseReplicas } from './streams.js';

export interface ElectionOptions {
  readonly nc: NatsConnection;
  readonly clock: Clock;
  /** What is to be led, e.g. `sequencer`: the key of the lease. */
  readonly role: string;
  /** Unique to this process: a uuid made at its start. */
  readonly holder: string;
  /** How long a lease lasts unrefreshed, milliseconds; at least 500. The first to make the bucket decides. */
  readonly ttlMs: number;
  /** Default `LEASE`. */
  readonly bucket?: string;
  readonly replicas?: number;
  /** Where the holder listens, so that its end is seen before its lease ends. Default `cmd.lease.<role>`. */
  readonly presence?: string;
  readonly onElected: () => void;
  /** The lease is gone, or may be. Another may lead already. */
  readonly onLost: (reason: string) => void;
  /** Faults of the store on the way; the election goes on. */
  readonly onFault: (cause: unknown) => void;
}

/** After an attempt that failed, ms: not all at once, and soon, as a server that has just started refuses for a moment. */
const again = (): number => 25 + Math.random() * 75;

/**
 * Who of several leads, by a key that its holder must refresh. It saves work and disputes; it is no fence: a holder
 * that slept is stopped by the log, not by this. A holder gives up by its own monotonic clock before the server's
 * key can have run out. Old servers tell nobody when a key runs out, so the others try at intervals. A holder whose
 * connection is gone is not waited for: the others take the key from it, at the revision that they saw.
 */
export class Election {
  #kv: KV | undefined;
  #revision: number | undefined;
  #ttlMs: number;
  /** By the monotonic clock. */
  #validUntil = 0;
  #busy: Promise<void> | undefined;
  #closed = false;
  #holderGone = false;
  #cancelTick: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;
  #abandon: () => void = () => undefined;
  #watch: QueuedIterator<KvWatchEntry> | undefined;
  readonly #link: Link;
  readonly #presence: Presence;

  constructor(readonly options: ElectionOptions) {
    const { nc, clock, role, ttlMs, presence: subject = `cmd.lease.${role}`, onFault } = options;
    this.#ttlMs = ttlMs;
    this.#link = new Link(nc);
    const onGone = (): void => {
      this.#holderGone = true;
      void this.#turn();
    };
    this.#presence = new Presence({ nc, link: this.#link, clock, subject, onGone, onFault });
    this.#link.onChange((up) => {
      // An answer of the server that was lost never comes; and whoever took the lease meanwhile is to be heard of first.
      if (up) void this.#turn();
      else this.#abandon();
    });
  }

  /** True while the lease lasts. Another may hold it already, if this one's connection was gone for a while. */
  get leads(): boolean {
    return this.#revision !== undefined && this.options.clock.monotonic() < this.#validUntil;
  }

  /**
   * ms for which a holder that hears nothing believes that it leads. So long may another lead beside it: who can't see
   * it any more takes the lease from it.
   */
  get validMs(): number {
    return this.#ttlMs * 0.9;
  }

  /** Makes the bucket if need be, and stands for election from now on. */
  async start(): Promise<Result<void>> {
    const { nc, bucket = 'LEASE', replicas = 1, ttlMs } = this.options;
    const refusal = refuseReplicas(nc.info?.version ?? '0.0.0', replicas);
    if (refusal !== undefined) return err(refusal);
    await new Kvm(nc).create(bucket, { ttl: ttlMs, history: 1, replicas });
    // An attempt whose answer is lost must leave time for another.
    this.#kv = await new Kvm(jetstream(nc, { timeout: Math.max(250, ttlMs / 4) })).open(bucket);
    // A bucket that exists keeps its own duration: ours must not be longer.
    this.#ttlMs = (await this.#kv.status()).ttl || ttlMs;
    await this.#turn();
    void this.#watchLease(this.#kv);
    return ok(undefined);
  }

  /** Gives the lease back, so that another can have it at once. `onLost` is called if this one led. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTick();
    this.#watch?.stop();
    await this.#busy;
    const revision = this.#revision;
    this.#lose('closed');
    this.#presence.close();
    if (revision === undefined) return;
    try {
      await this.#kv?.delete(this.options.role, { previousSeq: revision });
    } catch (cause) {
      // It runs out by itself.
      this.options.onFault(cause);
    }
  }

  /** One attempt at a time: to get the lease, or to keep it. */
  async #turn(): Promise<void> {
    if (this.#closed || this.#kv === undefined || this.#busy !== undefined || !this.#link.up) return;
    this.#cancelTick();
    const kv = this.#kv;
    let next = this.#ttlMs / 4;
    this.#busy = (this.#revision === undefined ? this.#acquire(kv) : this.#refresh(kv, this.#revision))
      .catch((cause: unknown) => {
        next = Math.min(next, again());
        this.options.onFault(cause);
      })
      .finally(() => {
        this.#busy = undefined;
        if (this.#closed) return;
        this.#presence.watch(this.#revision === undefined);
        this.#cancelTick = this.options.clock.after(next, () => void this.#turn());
      });
    await this.#busy;
  }

  async #acquire(kv: KV): Promise<void> {
    const asked = this.options.clock.monotonic();
    const { role, holder } = this.options;
    const entry = await this.#answer(kv.get(role));
    const taken = entry?.operation === 'PUT' && entry.string() !== holder;
    if (taken && !this.#holderGone) return;
    this.#holderGone = false;
    try {
      const put = kv.put(role, holder, { previousSeq: entry?.revision ?? 0 });
      this.#hold(asked, await this.#answer(put));
    } catch (cause) {
      if (!isTaken(cause)) throw cause;
      return;
    }
    // A lease that came so late that it may be gone already is not one to act on.
    if (!this.leads) this.#revision = undefined;
    else {
      this.#presence.show();
      this.options.onElected();
    }
  }

  async #refresh(kv: KV, revision: number): Promise<void> {
    const asked = this.options.clock.monotonic();
    const { role, holder } = this.options;
    try {
      const renewed = await this.#answer(kv.update(role, holder, revision));
      if (this.#revision !== undefined) this.#hold(asked, renewed);
    } catch (cause) {
      if (!isTaken(cause)) throw cause;
      // An earlier refresh may have been stored though its answer was lost: then the key is still ours.
      const entry = await this.#answer(kv.get(role));
      if (this.#revision === undefined) return;
      if (entry?.operation === 'PUT' && entry.string() === holder) this.#revision = entry.revision;
      else this.#lose('another holds the lease');
    }
  }

  /** Of the server, unless the connection breaks before it. */
  #answer<T>(asked: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#abandon = () => reject(new Error('the connection to NATS was lost'));
      asked.then(resolve, reject);
    });
  }

  #hold(asked: number, revision: number): void {
    const { clock } = this.options;
    this.#revision = revision;
    this.#validUntil = asked + this.validMs;
    this.#cancelExpiry();
    const left = Math.max(this.#validUntil - clock.monotonic(), 0);
    this.#cancelExpiry = clock.after(left, () => this.#lose('the lease ran out'));
  }

  #lose(reason: string): void {
    if (this.#revision === undefined) return;
    this.#revision = undefined;
    this.#cancelExpiry();
    this.#presence.hide();
    this.options.onLost(reason);
  }

  /** A lease given back, or taken from this one, is seen at once; one that ran out is not. */
  async #watchLease(kv: KV): Promise<void> {
    try {
      this.#watch = await kv.watch({ key: this.options.role });
      if (this.#closed) this.#watch.stop();
      for await (const entry of this.#watch) this.#seen(entry);
    } catch (cause) {
      if (!this.#closed) this.options.onFault(cause);
    }
  }

  #seen(entry: KvWatchEntry): void {
    const given = entry.operation !== 'PUT';
    if (this.#revision === undefined) {
      if (given) void this.#turn();
    } else if (!given && entry.revision > this.#revision && entry.string() !== this.options.holder)
      this.#lose('another holds the lease');
  }
}

function isTaken(cause: unknown): boolean {
  return cause instanceof JetStreamApiError && (cause.code === 10071 || cause.code === 10164);
}
