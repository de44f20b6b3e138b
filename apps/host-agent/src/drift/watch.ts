import { type Clock } from '#kernel';
import { type Fact } from '#domain';
import { type Difference, type Drifted } from './differences.js';

/** At most one fact an object in this time; what came meanwhile is summed up in the next. */
const QUIET_MS = 5_000;
/** Differences told one by one; of more, the number. */
const MOST = 50;

interface Kept {
  readonly object: string;
  /** Nobody is going to repair it. */
  readonly stays: boolean;
  /** ms, monotonic: when it was first seen; null when nothing is waiting for its repair. */
  since: number | null;
  differences: Map<string, Difference>;
  /** How often it drifted since the last fact. */
  times: number;
  toldAt: number;
  timer: (() => void) | null;
  /** Sum of the times that it stood unrepaired since the last fact, ms. */
  stood: number;
}

/** Makes facts of what drifted: one when it is repaired, damped by object, so that a storm costs a line in 5 s. */
export class DriftWatch {
  readonly #objects = new Map<string, Kept>();

  constructor(
    private readonly clock: Clock,
    private readonly record: (fact: Fact) => void,
  ) {}

  /** `now`: monotonic ms, when the reading was made that showed it. */
  seen(drifted: readonly Drifted[], now: number): void {
    for (const { object, differences } of drifted) {
      const kept = this.#objects.get(object) ?? nothing(object);
      this.#objects.set(object, kept);
      // Seen again before it was repaired, it is the same still.
      if (kept.since === null) kept.times += 1;
      kept.since ??= now;
      for (const d of differences) kept.differences.set(d.field, d);
    }
  }

  /** What is told, and stays: nothing is repaired of it. As damped as the rest. */
  stands(drifted: readonly Drifted[]): void {
    const now = this.clock.monotonic();
    for (const { object, differences } of drifted) {
      const key = `stays ${object}`;
      const kept = this.#objects.get(key) ?? { ...nothing(object), stays: true };
      this.#objects.set(key, kept);
      for (const d of differences) kept.differences.set(d.field, d);
      this.#due(key, kept, now);
    }
  }

  /** The switch is as it must be again. */
  repaired(): void {
    const now = this.clock.monotonic();
    for (const [key, kept] of this.#objects) {
      if (kept.since === null) {
        if (kept.timer === null && now - kept.toldAt >= QUIET_MS) this.#objects.delete(key);
        continue;
      }
      kept.stood += now - kept.since;
      kept.since = null;
      this.#due(key, kept, now);
    }
  }

  /** What waits for its turn is told now. */
  close(): void {
    for (const [key, kept] of this.#objects) if (kept.timer !== null) this.#tell(key, kept);
  }

  #due(key: string, kept: Kept, now: number): void {
    const wait = kept.toldAt + QUIET_MS - now;
    if (wait <= 0) this.#tell(key, kept);
    else kept.timer ??= this.clock.after(wait, () => this.#tell(key, kept));
  }

  #tell(key: string, kept: Kept): void {
    kept.timer?.();
    // Of flows there may be thousands; what else differs is not to be lost among them.
    const isFlow = (d: Difference): number => (d.field.startsWith('flow ') ? 1 : 0);
    const all = [...kept.differences.values()].sort((a, b) => isFlow(a) - isFlow(b));
    const differences = all.slice(0, MOST);
    if (all.length > MOST) differences.push(count('further differences', all.length - MOST));
    if (kept.times > 1) differences.push(count('times', kept.times));
    const durationMs = Math.round(kept.stood);
    const repaired = kept.since === null && !kept.stays;
    this.record({ type: 'Drift', object: kept.object, differences, repaired, durationMs });
    this.#objects.set(key, {
      ...kept,
      differences: new Map<string, Difference>(),
      times: 0,
      toldAt: this.clock.monotonic(),
      timer: null,
      stood: 0,
    });
  }
}

const nothing = (object: string): Kept => ({
  object,
  stays: false,
  since: null,
  differences: new Map<string, Difference>(),
  times: 0,
  toldAt: Number.NEGATIVE_INFINITY,
  timer: null,
  stood: 0,
});

const count = (field: string, n: number): Difference => ({ field, expected: '0', found: `${n}` });
