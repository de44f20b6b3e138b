import { equalJson, type Clock } from '#kernel';
import { type Report } from '#contracts';

/** What a host reports; the reporter adds the time and the number. */
export type Standing = Omit<Report, 'schema' | 'time' | 'n'>;

export interface ReporterOptions {
  readonly clock: Clock;
  /** Must not throw. Loss is no harm: the whole standing is sent again. */
  readonly send: (report: Report) => void;
  /** Least time between reports, ms. */
  readonly gapMs?: number;
  readonly repeatMs?: number;
  /** Number of the first report: above those of earlier runs within the same boot. Default: the time, whole ms. */
  readonly from?: number;
}

/** Sends a host's standing: at once when it changed, at most 50 times a second, and again every 5 s. */
export class Reporter {
  private standing: Standing | null = null;
  private sent: Standing | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private cancel: (() => void) | null = null;
  private stopped = false;

  private n: number;

  constructor(private readonly options: ReporterOptions) {
    this.n = options.from ?? Math.max(0, Math.floor(options.clock.now()));
  }

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
    this.options.send({ schema: 1, ...this.standing, time: this.options.clock.now(), n: this.n });
    this.n += 1;
    this.arm(this.options.repeatMs ?? 5000);
  }
}
