import {
  NoRespondersError,
  RequestError,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { type Clock } from '#kernel';
import { type Link } from './link.js';

export interface PresenceOptions {
  readonly nc: NatsConnection;
  readonly link: Link;
  readonly clock: Clock;
  /** Where whoever holds the lease listens, and nobody else. */
  readonly subject: string;
  /** Whoever was heard here listens no more. Said once for each that was heard. */
  readonly onGone: () => void;
  readonly onFault: (cause: unknown) => void;
}

const ASK_MS = 40;
const ANSWER_MS = 100;
/** A connection that broke alone is made anew within less, and candidates do not all stand up at once. */
const patience = (): number => 40 + Math.floor(Math.random() * 30);

/**
 * Whether the holder of a lease is connected: a server says at once when nobody listens. A holder that stands still
 * is still connected, and one that was never heard from here may be connected to where this process is not: of both
 * nothing is said, and their lease runs out.
 */
export class Presence {
  #shown: Subscription | undefined;
  #cancel: (() => void) | undefined;
  #heard = false;
  #missedSince: number | undefined;
  #patience = patience();
  readonly #off: () => void;

  constructor(private readonly options: PresenceOptions) {
    // Without a connection nobody is heard; and when all lost theirs, the holder may come back later than this one.
    this.#off = options.link.onChange((up) => {
      if (!up) this.#forget();
    });
  }

  /** Listens, as the holder does; asks no more. */
  show(): void {
    this.watch(false);
    const callback = (error: Error | null, message: { respond(): boolean }): void => {
      if (error === null) message.respond();
      else this.options.onFault(error);
    };
    this.#shown ??= this.options.nc.subscribe(this.options.subject, { callback });
  }

  hide(): void {
    this.#shown?.unsubscribe();
    this.#shown = undefined;
  }

  /** Asks for the holder, or stops asking. */
  watch(on: boolean): void {
    if (on === (this.#cancel !== undefined)) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#forget();
    if (on) this.#next();
  }

  close(): void {
    this.watch(false);
    this.hide();
    this.#off();
  }

  #next(): void {
    // Once nobody listens, it is asked again when patience ends: neither before it could count, nor later.
    const ms = this.#heard && this.#missedSince !== undefined ? this.#patience + 1 : ASK_MS;
    const cancel = this.options.clock.after(ms, () => {
      void this.#ask().then(() => {
        // Stopped meanwhile, or begun anew.
        if (this.#cancel === cancel) this.#next();
      });
    });
    this.#cancel = cancel;
  }

  async #ask(): Promise<void> {
    const { nc, link, subject } = this.options;
    if (!link.up) return;
    try {
      await nc.request(subject, undefined, { timeout: ANSWER_MS });
      this.#heard = true;
      this.#missedSince = undefined;
    } catch (cause) {
      // No answer in time says nothing: whoever listens there is busy, or stands still.
      if (isNobody(cause) && this.#cancel !== undefined) this.#missed();
    }
  }

  #missed(): void {
    const now = this.options.clock.monotonic();
    this.#missedSince ??= now;
    if (!this.#heard || now - this.#missedSince < this.#patience) return;
    this.#forget();
    this.options.onGone();
  }

  #forget(): void {
    this.#heard = false;
    this.#missedSince = undefined;
    this.#patience = patience();
  }
}

const isNobody = (cause: unknown): boolean =>
  cause instanceof NoRespondersError || (cause instanceof RequestError && cause.isNoResponders());
