import { equalJson, type Clock } from '#kernel';
import { type Report } from '#contracts';

/** What a host reports; the reporter adds the time. */
export type Standing = Omit<Report, 'schema' | 'time'>;

export interface ReporterOptions {
  readonly clock: Clock;
  /** Must not throw. Loss is no harm: the whole standing is sent again. */
  readonly send: (report: Report) => void;
  /** Least time between reports, ms. */
  readonly gapMs?: number;
  readonly repeatMs?: number;
}

/** Sends a host's standing: at once when it changed, at most 50 times a second, and again every 5 s. */
export class Reporter {
  private standing: Standing | null = null;
  private sent: Standing | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private cancel: (() => void) | null = null;
  private stopped = false;

  constructor(private readonly options: ReporterOptions) {}

  update(standing: Standing): void {
    this.standing = standing;
    if (this.stopped || (this.sent !== null && equalJson(standing, this.sent))) return;
    this.arm(this.sentAt + (this.options.gapMs ?? 20) - this.options.clock.monotonic());
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private arm(ms: number): void {
    this.cancel?.();
    this.cancel = null;
    if (ms <= 0) this.send();
    else this.cancel = this.options.clock.after(ms, () => this.send());
  }

  private send(): void {
    if (this.standing === null || this.stopped) return;
    this.sent = this.standing;
    this.sentAt = this.options.clock.monotonic();
    this.options.send({ schema: 1, ...this.standing, time: this.options.clock.now() });
    this.arm(this.options.repeatMs ?? 5000);
  }
}
