import { Kvm, type KV, type KvWatchEntry } from '@nats-io/kv';
import { JetStreamApiError } from '@nats-io/jetstream';
import { type NatsConnection, type QueuedIterator } from '@nats-io/transport-node';
import { err, ok, type Clock, type Result } from '#kernel';
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
  readonly onElected: () => void;
  /** The lease is gone, or may be. Another may lead already. */
  readonly onLost: (reason: string) => void;
  /** Faults of the store on the way; the election goes on. */
  readonly onFault: (cause: unknown) => void;
}

/**
 * Who of several leads, by a key that its holder must refresh. It saves work and disputes; it is no fence: a holder
 * that slept is stopped by the log, not by this. A holder gives up by its own monotonic clock before the server's
 * key can have run out. Old servers tell nobody when a key runs out, so the others try at intervals.
 */
export class Election {
  #kv: KV | undefined;
  #revision: number | undefined;
  #ttlMs: number;
  /** By the monotonic clock. */
  #validUntil = 0;
  #busy: Promise<void> | undefined;
  #closed = false;
  #cancelTick: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;
  #watch: QueuedIterator<KvWatchEntry> | undefined;

  constructor(readonly options: ElectionOptions) {
    this.#ttlMs = options.ttlMs;
  }

  /** True as long as nobody else can hold the lease. */
  get leads(): boolean {
    return this.#revision !== undefined && this.options.clock.monotonic() < this.#validUntil;
  }

  /** Makes the bucket if need be, and stands for election from now on. */
  async start(): Promise<Result<void>> {
    const { nc, bucket = 'LEASE', replicas = 1, ttlMs } = this.options;
    const refusal = refuseReplicas(nc.info?.version ?? '0.0.0', replicas);
    if (refusal !== undefined) return err(refusal);
    this.#kv = await new Kvm(nc).create(bucket, { ttl: ttlMs, history: 1, replicas });
    // A bucket that exists keeps its own duration: ours must not be longer.
    this.#ttlMs = (await this.#kv.status()).ttl || ttlMs;
    await this.#turn();
    void this.#watchReleases(this.#kv);
    return ok(undefined);
  }

  /** Gives the lease back, so that another can have it at once. `onLost` is called if this one led. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTick();
    this.#watch?.stop();
    await this.#busy;
    const revision = this.#revision;
    if (revision === undefined) return;
    this.#lose('closed');
    try {
      await this.#kv?.delete(this.options.role, { previousSeq: revision });
    } catch (cause) {
      // It runs out by itself.
      this.options.onFault(cause);
    }
  }

  /** One attempt at a time: to get the lease, or to keep it. */
  async #turn(): Promise<void> {
    if (this.#closed || this.#kv === undefined || this.#busy !== undefined) return;
    this.#cancelTick();
    const kv = this.#kv;
    this.#busy = (this.#revision === undefined ? this.#acquire(kv) : this.#refresh(kv, this.#revision))
      .catch(this.options.onFault)
      .finally(() => {
        this.#busy = undefined;
        if (this.#closed) return;
        this.#cancelTick = this.options.clock.after(this.#ttlMs / 4, () => void this.#turn());
      });
    await this.#busy;
  }

  async #acquire(kv: KV): Promise<void> {
    const asked = this.options.clock.monotonic();
    const { role, holder } = this.options;
    try {
      this.#hold(asked, await kv.create(role, holder));
    } catch (cause) {
      if (!isTaken(cause)) throw cause;
      return;
    }
    // A lease that came so late that it may be gone already is not one to act on.
    if (this.leads) this.options.onElected();
    else this.#revision = undefined;
  }

  async #refresh(kv: KV, revision: number): Promise<void> {
    const asked = this.options.clock.monotonic();
    const { role, holder } = this.options;
    try {
      const renewed = await kv.update(role, holder, revision);
      if (this.#revision !== undefined) this.#hold(asked, renewed);
    } catch (cause) {
      if (!isTaken(cause)) throw cause;
      // An earlier refresh may have been stored though its answer was lost: then the key is still ours.
      const entry = await kv.get(role);
      if (this.#revision === undefined) return;
      if (entry?.operation === 'PUT' && entry.string() === holder) this.#revision = entry.revision;
      else this.#lose('another holds the lease');
    }
  }

  #hold(asked: number, revision: number): void {
    const { clock } = this.options;
    this.#revision = revision;
    this.#validUntil = asked + this.#ttlMs * 0.9;
    this.#cancelExpiry();
    const left = Math.max(this.#validUntil - clock.monotonic(), 0);
    this.#cancelExpiry = clock.after(left, () => this.#lose('the lease ran out'));
  }

  #lose(reason: string): void {
    if (this.#revision === undefined) return;
    this.#revision = undefined;
    this.#cancelExpiry();
    this.options.onLost(reason);
  }

  /** A lease given back is seen at once; one that ran out is not. */
  async #watchReleases(kv: KV): Promise<void> {
    try {
      this.#watch = await kv.watch({ key: this.options.role });
      if (this.#closed) this.#watch.stop();
      for await (const entry of this.#watch) {
        if (entry.operation !== 'PUT' && this.#revision === undefined) await this.#turn();
      }
    } catch (cause) {
      if (!this.#closed) this.options.onFault(cause);
    }
  }
}

function isTaken(cause: unknown): boolean {
  return cause instanceof JetStreamApiError && (cause.code === 10071 || cause.code === 10164);
}
