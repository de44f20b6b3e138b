import { type Process } from '../engine/process.js';
import { type Peer, type Reply, type Server } from './server.js';

export type Answer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  /** Not connected: nothing was sent. */
  | { readonly kind: 'down' }
  /** Sent, and nothing came back in time. */
  | { readonly kind: 'silence' };

/** A host's question to whoever leads; who does not says nothing. */
export interface LeaseAsked {
  readonly bytes: Uint8Array;
  readonly reply: (bytes: Uint8Array) => void;
}

const SILENCE_MS = 3_000;

/**
 * One process's connection. What goes the same way stays in order; what is under way when the connection breaks is
 * lost. `partitioned` cuts it off without the server noticing.
 */
export class Link implements Peer {
  partitioned = false;
  private sentUntil = 0;
  private heardUntil = 0;
  private life = 0;
  private wasUp: boolean;
  private readonly subscribers = new Map<string, Set<(message: never) => void>>();
  private readonly watchers = new Set<(up: boolean) => void>();

  constructor(
    readonly process: Process,
    readonly server: Server,
  ) {
    server.links.add(this);
    this.wasUp = this.up;
    process.onEnd(() => {
      this.life += 1;
      server.links.delete(this);
      for (const candidate of [...server.candidates])
        if (candidate.link === this) server.candidates.delete(candidate);
      server.gone(this);
    });
  }

  get up(): boolean {
    return this.server.up && !this.partitioned;
  }

  /** The process learns of it a little later. */
  changed(): void {
    const { up } = this;
    if (up === this.wasUp) return;
    this.wasUp = up;
    this.life += 1;
    if (!up) this.server.gone(this);
    const { scheduler } = this.server;
    this.sentUntil = this.heardUntil = scheduler.now;
    scheduler.in(this.delay(), this.process, up ? 'connected' : 'disconnected', () => {
      for (const watcher of this.watchers) watcher(this.up);
    });
  }

  cut(): void {
    this.partitioned = true;
    this.changed();
  }

  heal(): void {
    this.partitioned = false;
    this.changed();
  }

  onState(watcher: (up: boolean) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Does `work` at the server and brings its answer back. */
  ask<T>(what: string, work: () => T, timeoutMs = SILENCE_MS): Promise<Answer<T>> {
    return this.askLater<T>(what, (reply) => this.server.leaderless || reply(work()), timeoutMs);
  }

  /** As `ask`, for what the server does not answer at once. */
  askLater<T>(
    what: string,
    work: (reply: (value: T) => void) => unknown,
    timeoutMs = SILENCE_MS,
  ): Promise<Answer<T>> {
    if (!this.up) return Promise.resolve({ kind: 'down' });
    const { scheduler, random, weather } = this.server;
    const { life } = this;
    return new Promise((resolve) => {
      let open = true;
      const end = (answer: Answer<T>): void => {
        if (!open) return;
        open = false;
        cancel();
        resolve(answer);
      };
      const cancel = scheduler.in(timeoutMs, this.process, `${what}: no answer`, () =>
        end({ kind: 'silence' }),
      );
      if (random.chance(weather.loss / 2)) return;
      this.sentUntil = Math.max(this.sentUntil, scheduler.now + this.delay());
      scheduler.at(this.sentUntil, null, `${this.process.name} → ${what}`, () => {
        if (this.life !== life) return;
        work((value) => {
          if (this.life !== life || random.chance(weather.loss / 2)) return;
          this.heardUntil = Math.max(this.heardUntil, scheduler.now + this.delay());
          scheduler.at(this.heardUntil, this.process, `← ${what}`, () => {
            if (this.life === life) end({ kind: 'answer', value });
          });
        });
      });
    });
  }

  /** Whether a message that nobody waits for gets lost on its way. */
  loses(): boolean {
    return this.server.random.chance(this.server.weather.loss / 2);
  }

  /** Says something that nobody answers. */
  publish(subject: string, message: unknown): void {
    if (!this.up) return;
    const { scheduler } = this.server;
    const { life } = this;
    this.sentUntil = Math.max(this.sentUntil, scheduler.now + this.delay());
    scheduler.at(this.sentUntil, null, `${this.process.name} → ${subject}`, () => {
      if (this.life === life) this.server.spread(subject, message);
    });
  }

  subscribe<T>(subject: string, listener: (message: T) => void): () => void {
    const listeners = this.subscribers.get(subject) ?? new Set();
    this.subscribers.set(subject, listeners.add(listener as (message: never) => void));
    return () => listeners.delete(listener as (message: never) => void);
  }

  /** From the server: may be lost, doubled, delayed, and so put out of order. */
  hear(subject: string, message: unknown): void {
    const listeners = this.subscribers.get(subject);
    if (listeners === undefined || listeners.size === 0 || !this.up) return;
    const { scheduler, random, weather } = this.server;
    const { life } = this;
    const times = random.chance(weather.drop) ? 0 : random.chance(weather.duplicate) ? 2 : 1;
    for (let i = 0; i < times; i += 1) {
      scheduler.in(this.delay(), this.process, `hears ${subject}`, () => {
        if (this.life === life) for (const listener of listeners) listener(message as never);
      });
    }
  }

  /** Messages that come in order and are not lost while the connection stands. */
  deliver(what: string, run: () => void): void {
    if (!this.up) return;
    const { life } = this;
    this.heardUntil = Math.max(this.heardUntil, this.server.scheduler.now + this.delay());
    this.server.scheduler.at(this.heardUntil, this.process, what, () => {
      if (this.life === life) run();
    });
  }

  serve(handle: (request: unknown, reply: Reply) => void): () => void {
    const responder = { link: this, handle };
    if (this.up) this.server.responders.add(responder);
    const off = this.onState((up) => up && this.server.responders.add(responder));
    return () => {
      off();
      this.server.responders.delete(responder);
    };
  }

  /** A command to whoever serves; `down` also when nobody does. */
  command<T>(request: unknown, timeoutMs: number): Promise<Answer<T | 'nobody'>> {
    return this.askLater<T | 'nobody'>(
      'command',
      (reply) => {
        const all = [...this.server.responders];
        if (all.length === 0) return reply('nobody');
        const { link, handle } = this.server.random.pick(all);
        link.deliver('takes a command', () =>
          handle(request, (answer) => link.send('answer', () => reply(answer as T))),
        );
      },
      timeoutMs,
    );
  }

  send(what: string, run: () => void): void {
    if (!this.up) return;
    const { life } = this;
    this.sentUntil = Math.max(this.sentUntil, this.server.scheduler.now + this.delay());
    this.server.scheduler.at(this.sentUntil, null, `${this.process.name} → ${what}`, () => {
      if (this.life === life) run();
    });
  }

  delay(): number {
    const { random, weather } = this.server;
    return random.chance(0.03) ? random.between(0, weather.spike) : random.between(0.05, weather.delay);
  }
}
