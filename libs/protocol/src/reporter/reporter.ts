import { equalJson, type Clock } from '#kernel';
import { type Report } from '#contracts';
import { spread } from '../spread.js';

/** What a host reports; the reporter adds the time and the number. */
export type Standing = Omit<Report, 'schema' | 'time' | 'n'>;

export interface ReporterOptions {
  readonly clock: Clock;
  /** Must not throw. Loss is no harm: the whole standing is sent again. */
  readonly send: (report: Report) => void;
  /** Least time between reports, ms. */
  readonly gapMs?: number;
  /** How long what nobody waits for may wait at most, ms: every host has such news with every mark. */
  readonly idleGapMs?: number;
  readonly repeatMs?: number;
  /** Number of the first report: above those of earlier runs within the same boot. Default: the time, whole ms. */
  readonly from?: number;
}

/**
 * Sends a host's standing: at once when it changed, at most 200 times a second, and again every 5 s. What only says that
 * a mark brought nothing is not urgent: of a thousand hosts, ten are waited for, and the others would be in their way.
 */
export class Reporter {
  private standing: Standing | null = null;
  private sent: Standing | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private cancel: (() => void) | null = null;
  private stopped = false;
  private dueAt = Number.POSITIVE_INFINITY;
  private n: number;

  constructor(private readonly options: ReporterOptions) {
    this.n = options.from ?? Math.max(0, Math.floor(options.clock.now()));
  }

  update(standing: Standing, urgent = true): void {
    this.standing = standing;
    if (this.stopped || (this.sent !== null && isSame(standing, this.sent))) return;
    const { gapMs = 5, idleGapMs = 3_000, clock } = this.options;
    const dueAt = urgent ? this.sentAt + gapMs : clock.monotonic() + idleGapMs * spread(standing.host);
    // What is due already is not put off by what came after it.
    if (dueAt < this.dueAt) this.arm(dueAt);
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private arm(dueAt: number): void {
    this.cancel?.();
    this.cancel = null;
    this.dueAt = dueAt;
    const ms = dueAt - this.options.clock.monotonic();
    if (ms <= 0) this.send();
    else this.cancel = this.options.clock.after(ms, () => this.send());
  }

  private send(): void {
    if (this.standing === null || this.stopped) return;
    this.sent = this.standing;
    this.sentAt = this.options.clock.monotonic();
    this.options.send({ schema: 1, ...this.standing, time: this.options.clock.now(), n: this.n });
    this.n += 1;
    this.arm(this.sentAt + (this.options.repeatMs ?? 5000));
  }
}

/** What every mark changes comes first: the whole is compared only where that is the same. */
const isSame = (a: Standing, b: Standing): boolean =>
  a.realised === b.realised && a.received === b.received && equalJson(a, b);
