import { type Clock } from '#kernel';
import { type Fact } from '#domain';

/** So many changes are told of one thing that is not quiet in between. */
const PATIENCE = 5;
/** One more of them after this time, ms. */
const REFILL_MS = 60_000;
/** As it was for so long: what it came to is told. */
const QUIET_MS = 2_000;
/** While it lasts, it is told at most this often, ms. */
const SUM_UP_MS = 60_000;

interface Kept {
  /** What it was when it was last looked at; undefined: absent. */
  seen: string | undefined;
  /** Monotonic ms. */
  changedAt: number;
  tokens: number;
  refilledAt: number;
  /** Changes that the log was not told of, since `from`, ms; 0: none. */
  count: number;
  from: number;
  to: number;
  cancel: (() => void) | null;
}

/**
 * What comes and goes faster than it makes sense to tell: each plug and unplug is a binding, documents, and commits.
 * A few changes are told; from then on, for the log, what has its port here is there and what has none is not, until
 * it has been quiet for a while. Its changes are summed up once a minute. The switch is treated by what really is.
 */
export class Flapping {
  readonly #kept = new Map<string, Kept>();

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
    told: ReadonlyMap<string, string>,
    seen: ReadonlyMap<string, string>,
    bound: Pick<ReadonlySet<string>, 'has'>,
  ): ReadonlyMap<string, string> {
    const next = new Map<string, string>();
    for (const name of new Set([...told.keys(), ...seen.keys(), ...this.#kept.keys()])) {
      const [was, is] = [told.get(name), seen.get(name)];
      const isFree = was === undefined ? bound.has(name) : is === undefined && !bound.has(name);
      const value = this.#isHeld(name, was, is, isFree) ? was : is;
      if (value !== undefined) next.set(name, value);
    }
    return next;
  }

  close(): void {
    for (const [name, kept] of this.#kept) {
      kept.cancel?.();
      this.#tell(name, kept);
    }
  }

  /** Whether it is to stay, for the log, what it was told to be. */
  #isHeld(name: string, was: string | undefined, is: string | undefined, isFree: boolean): boolean {
    const kept = this.#kept.get(name);
    if (kept === undefined && (isFree || was === is)) return false;
    const k = kept ?? this.#begin(name, was);
    const now = this.clock.monotonic();
    if (k.seen !== is) {
      k.seen = is;
      k.changedAt = now;
      if (k.count > 0) this.#count(k);
    }
    if (isFree || was === is) {
      if (k.count === 0) this.#forget(name, k);
      else this.#arm(name, k);
      return false;
    }
    if (now - k.changedAt >= QUIET_MS || this.#spend(k, now)) return false;
    if (k.count === 0) this.#count(k);
    this.#arm(name, k);
    return true;
  }

  #begin(name: string, was: string | undefined): Kept {
    const now = this.clock.monotonic();
    const begun: Kept = {
      seen: was,
      changedAt: now,
      tokens: PATIENCE,
      refilledAt: now,
      count: 0,
      from: 0,
      to: 0,
      cancel: null,
    };
    this.#kept.set(name, begun);
    return begun;
  }

  #spend(kept: Kept, now: number): boolean {
    const refills = Math.floor((now - kept.refilledAt) / REFILL_MS);
    kept.refilledAt += refills * REFILL_MS;
    kept.tokens = Math.min(PATIENCE, kept.tokens + refills);
    if (kept.tokens === 0) return false;
    kept.tokens -= 1;
    return true;
  }

  #count(kept: Kept): void {
    kept.to = this.clock.now();
    if (kept.count === 0) kept.from = kept.to;
    kept.count += 1;
  }

  /** Looks again when it may have been quiet for long enough. */
  #arm(name: string, kept: Kept): void {
    kept.cancel ??= this.clock.after(QUIET_MS, () => {
      kept.cancel = null;
      const isQuiet = this.clock.monotonic() - kept.changedAt >= QUIET_MS;
      if (isQuiet || this.clock.now() - kept.from >= SUM_UP_MS) this.#tell(name, kept);
      if (!isQuiet) this.#arm(name, kept);
      this.again();
    });
  }

  #tell(name: string, kept: Kept): void {
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
  #forget(name: string, kept: Kept): void {
    if (kept.count > 0 || this.clock.monotonic() - kept.refilledAt < PATIENCE * REFILL_MS) return;
    kept.cancel?.();
    this.#kept.delete(name);
  }
}
