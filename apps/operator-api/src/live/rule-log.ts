import { type RuleLogLine, type Telemetry } from '#contracts';

export interface KeptLine extends RuleLogLine {
  readonly id: number;
  readonly host: string;
}

export interface RuleLogQuery {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly rule?: string | undefined;
  /** Only what came after this one, the oldest first; absent: the newest. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Lines at hand, of all hosts. */
const KEPT = 10_000;

/** What rules logged of late. It is seen or lost: none of it is in the event log. */
export class RuleLogStore {
  #lines: KeptLine[] = [];
  /** Goes on over restarts, so that who follows need not begin again. */
  #last: number;
  #more = 0;

  /** `now`: ms since the epoch. Ids begin there: fewer lines come than milliseconds go by. */
  constructor(now: number) {
    this.#last = now;
  }

  take({ host, log }: Telemetry): void {
    if (log === undefined) return;
    for (const line of log.lines) this.#lines.push({ ...line, host, id: (this.#last += 1) });
    this.#more += log.more;
    if (this.#lines.length > 2 * KEPT) this.#lines = this.#lines.slice(-KEPT);
  }

  get last(): number {
    return this.#last;
  }

  get more(): number {
    return this.#more;
  }

  query({ after, limit, ...wanted }: RuleLogQuery): readonly KeptLine[] {
    const items = this.#lines.filter(
      (line) =>
        line.id > (after ?? 0) &&
        (wanted.host === undefined || line.host === wanted.host) &&
        (wanted.port === undefined || line.port === wanted.port) &&
        (wanted.rule === undefined || line.rule === wanted.rule),
    );
    return after === undefined ? items.slice(-limit) : items.slice(0, limit);
  }
}
