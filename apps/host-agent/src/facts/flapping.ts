import { equalJson, type Clock } from '#kernel';
import { type Fact } from '#domain';

/** So many changes are told of one thing that is not quiet in between. */
const PATIENCE = 5;
/** One more of them after this time, ms. */
const REFILL_MS = 60_000;
/** As it was for so long: what it came to is told. */
const QUIET_MS = 2_000;
/** While it lasts, it is told at most this often, ms. */
const SUM_UP_MS = 60_000;

interface Kept<T> {
  /** What it was when it was last looked at; undefined: absent. */
  seen: T | undefined;
  /** Monotonic ms. */
  changedAt: number;
  tokens: number;
  refilledAt: number;
  /** Changes that the log was not told of, since `from`, ms; 0: none. */
  count: number;
  from: number;
  to: number;
  /** Monotonic ms of `from`. */
  since: number;
  cancel: (() => void) | null;
}

/**
 * What comes and goes faster than it makes sense to tell: each plug and unplug is a binding, documents, and commits.
 * A few changes are told; from then on, for the log, what has its port here is there and what has none is not, until
 * it has been quiet for a while. Its changes are summed up once a minute. The switch is treated by what really is.
 * `T`: what a thing is like, as JSON.
 */
export class Flapping<T> {
  readonly #kept = new Map<string, Kept<T>>();

  constructor(
    private readonly clock: Clock,
    private readonly kind: 'interface' | 'uplink',
    private readonly record: (fact: Fact) => void,
    /** Has `damped` be called again, with what is there then. */
    private readonly again: () => void,
  ) {}

  /**
   * `told`: what the log was told is there, by name, with what it is like; `seen`: what is; `bound`: whose port is
   * here. Gives what the log is told next.
   */
  damped(
    told: ReadonlyMap<string, T>,
    seen: ReadonlyMap<string, T>,
    bound: Pick<ReadonlySet<string>, 'has'>,
  ): ReadonlyMap<string, T> {
    const next = new Map<string, T>();
    for (const name of new Set([...told.keys(), ...seen.keys(), ...this.#kept.keys()])) {
      const [was, is] = [told.get(name), seen.get(name)];
      const isFree = was === undefined ? bound.has(name) : is === undefined && !bound.has(name);
      const value = this.#isHeld(name, was, is, isFree) ? was : is;
      if (value !== undefined) next.set(name, value);
    }
    return next;
  }

  /** Nothing is held back: the log knows all that was seen. */
  get isQuiet(): boolean {
    for (const { count } of this.#kept.values()) if (count > 0) return false;
    return true;
  }

  close(): void {
    for (const [name, kept] of this.#kept) {
      kept.cancel?.();
      this.#tell(name, kept);
    }
  }

  /** Whether it is to stay, for the log, what it was told to be. */
  #isHeld(name: string, was: T | undefined, is: T | undefined, isFree: boolean): boolean {
    const kept = this.#kept.get(name);
    const isTold = equalJson(was, is);
    if (kept === undefined && (isFree || isTold)) return false;
    const k = kept ?? this.#begin(name, was);
    const now = this.clock.monotonic();
    if (!equalJson(k.seen, is)) {
      k.seen = is;
      k.changedAt = now;
      if (k.count > 0) this.#count(k);
    }
    if (isFree || isTold) {
      if (k.count === 0) this.#forget(name, k);
      else this.#arm(name, k);
      return false;
    }
    if (now - k.changedAt >= QUIET_MS || this.#spend(k, now)) return false;
    if (k.count === 0) this.#count(k);
    this.#arm(name, k);
    return true;
  }

  #begin(name: string, was: T | undefined): Kept<T> {
    const now = this.clock.monotonic();
    const begun: Kept<T> = {
      seen: was,
      changedAt: now,
      tokens: PATIENCE,
      refilledAt: now,
      count: 0,
      from: 0,
      to: 0,
      since: 0,
      cancel: null,
    };
    this.#kept.set(name, begun);
    return begun;
  }

  #spend(kept: Kept<T>, now: number): boolean {
    const refills = Math.floor((now - kept.refilledAt) / REFILL_MS);
    kept.refilledAt += refills * REFILL_MS;
    kept.tokens = Math.min(PATIENCE, kept.tokens + refills);
    if (kept.tokens === 0) return false;
    kept.tokens -= 1;
    return true;
  }

  #count(kept: Kept<T>): void {
    kept.to = this.clock.now();
    if (kept.count === 0) {
      kept.from = kept.to;
      kept.since = this.clock.monotonic();
    }
    kept.count += 1;
  }

  /** Looks again when it may have been quiet for long enough. */
  #arm(name: string, kept: Kept<T>): void {
    kept.cancel ??= this.clock.after(QUIET_MS, () => {
      kept.cancel = null;
      const isQuiet = this.clock.monotonic() - kept.changedAt >= QUIET_MS;
      if (isQuiet || this.clock.monotonic() - kept.since >= SUM_UP_MS) this.#tell(name, kept);
      if (!isQuiet) this.#arm(name, kept);
      this.again();
    });
  }

  #tell(name: string, kept: Kept<T>): void {
    if (kept.count === 0) return;
    const { count, from } = kept;
    // A wall clock that was set back must not make a fact that nobody accepts.
    this.record({
      type: 'Flapping',
      object: `${this.kind}/${name}`,
      count,
      from,
      to: Math.max(from, kept.to),
    });
    kept.count = 0;
  }

  /** Nothing is to be known of what has all its patience again. */
  #forget(name: string, kept: Kept<T>): void {
    if (kept.count > 0 || this.clock.monotonic() - kept.refilledAt < PATIENCE * REFILL_MS) return;
    kept.cancel?.();
    this.#kept.delete(name);
  }
}
