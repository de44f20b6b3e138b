/**
 * So many at once, and one for each gap after that: what comes now and then waits for nothing, what comes all the time
 * comes at that rate (the generic cell rate algorithm).
 */
export class Allowance {
  /** When all that was taken so far would have been due, one for each gap. */
  private dueMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly atOnce: number) {}

  /** ms until another may be taken; 0 or less: now. */
  waitMs(nowMs: number, gapMs: number): number {
    return this.dueMs - (this.atOnce - 1) * gapMs - nowMs;
  }

  take(nowMs: number, gapMs: number): void {
    this.dueMs = Math.max(this.dueMs, nowMs) + gapMs;
  }
}
