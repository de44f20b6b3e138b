import { type Clock } from '#kernel';
import { Heap } from './heap.js';

/** Who something happens to. */
export interface Owner {
  readonly name: string;
  readonly alive: boolean;
  readonly frozen: boolean;
  /** What its wall clock is off by, ms. */
  readonly skewMs: number;
  /** Asked before each thing that happens to it; true: it does not live to see it. */
  burns(): boolean;
  /** Asked likewise; true: it stands still from here on. */
  stalls(): boolean;
  /** It is frozen: kept until it wakes. */
  hold(happening: Happening): void;
}

export interface Happening {
  readonly at: number;
  readonly order: number;
  /** Who it happens to; null: the world outside (server, switch, guests, network). */
  readonly owner: Owner | null;
  readonly what: string;
  readonly run: () => void;
  cancelled: boolean;
}

/** Longest stretch without one event that ends; more means that something spins. */
const BEGINNING = 1_700_000_000_000;

/**
 * One queue of everything that happens, ordered by virtual time. Between two events every promise that can settle
 * does, so a step is: one event, and all that follows from it without waiting for another.
 */
export class Scheduler {
  private readonly queue = new Heap<Happening>((a, b) => a.at - b.at || a.order - b.order);
  private time = 0;
  private order = 0;
  steps = 0;
  /** Called after every step; throws when something is not as it must be. */
  onStep: () => void = () => undefined;
  private readonly recent: string[] = [];
  /** Everything is kept when true; else the last of it. */
  verbose = false;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.time;
  }

  /** The clock of the world outside: never stops, never jumps. */
  readonly clock: Clock = this.clockOf(null);

  clockOf(owner: Owner | null): Clock {
    return {
      now: () => Math.floor(BEGINNING + this.time) + (owner?.skewMs ?? 0),
      monotonic: () => this.time,
      after: (ms, fn) => this.in(ms, owner, 'timer', fn),
    };
  }

  in(ms: number, owner: Owner | null, what: string, run: () => void): () => void {
    return this.at(this.time + Math.max(0, ms), owner, what, run);
  }

  at(at: number, owner: Owner | null, what: string, run: () => void): () => void {
    this.order += 1;
    const happening = { at: Math.max(at, this.time), order: this.order, owner, what, run, cancelled: false };
    this.queue.push(happening);
    return () => {
      happening.cancelled = true;
    };
  }

  /** Runs what is due until `until`, step by step. */
  async runUntil(until: number): Promise<void> {
    for (;;) {
      const next = this.queue.peek();
      if (next === undefined || next.at > until) break;
      this.queue.pop();
      if (next.cancelled || next.owner?.alive === false) continue;
      this.time = Math.max(this.time, next.at);
      if (next.owner?.frozen === true || next.owner?.stalls() === true) {
        next.owner.hold(next);
        continue;
      }
      if (next.owner?.burns() === true) continue;
      this.steps += 1;
      if (next.what !== 'timer')
        this.note(next.owner === null ? next.what : `${next.owner.name}: ${next.what}`);
      next.run();
      await settled();
      this.onStep();
    }
    this.time = Math.max(this.time, until);
  }

  /** One line of the story. */
  note(text: string): void {
    this.recent.push(`${this.time.toFixed(1).padStart(9)} ${text}`);
    if (!this.verbose && this.recent.length > 4_000) this.recent.splice(0, 2_000);
  }

  trace(lines: number): readonly string[] {
    return this.recent.slice(-lines);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
