import { type Clock, type IdGenerator } from '#kernel';
import { type Random } from './random.js';
import { type Happening, type Owner, type Scheduler } from './scheduler.js';

/**
 * One run of a service. Killed: nothing happens to it any more, so whatever it awaited never comes. Frozen (SIGSTOP):
 * what happens to it waits, and comes at once when it wakes, in the order in which it was due.
 */
export class Process implements Owner {
  alive = true;
  frozen = false;
  /** What its wall clock is off by. */
  skewMs = 0;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  private held: Happening[] = [];
  /** Things that still happen to it before it is killed: so it dies at whatever it awaits then. */
  private fuse = Number.POSITIVE_INFINITY;
  /** Likewise before it stands still. */
  private stallsIn = Number.POSITIVE_INFINITY;
  private readonly ends: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly scheduler: Scheduler,
    readonly random: Random,
  ) {
    this.clock = scheduler.clockOf(this);
    this.ids = { next: () => random.uuid() };
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.held = [];
    for (const end of this.ends) end();
  }

  /** Kills it as the `steps`-th thing is about to happen to it: between any two of its awaits. */
  killAt(steps: number): void {
    this.fuse = Math.min(this.fuse, steps);
  }

  spare(): void {
    this.stallsIn = Number.POSITIVE_INFINITY;
    this.fuse = Number.POSITIVE_INFINITY;
  }

  burns(): boolean {
    this.fuse -= 1;
    if (this.fuse > 0) return false;
    this.scheduler.note(`   ! ${this.name} dies here`);
    this.kill();
    return true;
  }

  /** Called when it is killed: connections break, subscriptions go. */
  onEnd(end: () => void): void {
    this.ends.push(end);
  }

  freeze(): void {
    this.frozen = true;
  }

  /** Freezes it as the `steps`-th thing is about to happen to it. */
  freezeAt(steps: number): void {
    this.stallsIn = steps;
  }

  stalls(): boolean {
    this.stallsIn -= 1;
    if (this.stallsIn > 0) return false;
    this.scheduler.note(`   ! ${this.name} stands still here`);
    this.stallsIn = Number.POSITIVE_INFINITY;
    this.freeze();
    return true;
  }

  wake(): void {
    if (!this.frozen) return;
    this.frozen = false;
    for (const { what, run, ...rest } of this.held.splice(0)) {
      if (!rest.cancelled) this.scheduler.in(0, this, what, run);
    }
  }

  hold(happening: Happening): void {
    this.held.push(happening);
  }

  /** Something outside that takes a while: a system call, a disk. */
  pause(ms: number, what: string): Promise<void> {
    return new Promise((resolve) => void this.scheduler.in(ms, this, what, resolve));
  }

  log(level: string, fields: object, message: string): void {
    if (level === 'error') this.scheduler.note(`${this.name}: ${level} ${message} ${short(fields)}`);
    else this.scheduler.note(`${this.name}: ${message} ${short(fields)}`);
  }
}

export function short(value: unknown): string {
  const text =
    JSON.stringify(value, (_k, v: unknown) =>
      typeof v === 'bigint' ? v.toString() : v instanceof Error ? (v.stack ?? v.message) : v,
    ) ?? '';
  return text.length > 400 ? `${text.slice(0, 397)}...` : text;
}
