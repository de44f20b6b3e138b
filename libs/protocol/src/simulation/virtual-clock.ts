import { type Clock } from '#kernel';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** Time that passes only when told. Between timers every promise that can settle does. */
export class VirtualClock implements Clock {
  private time = 1_000_000;
  private order = 0;
  private timers: Timer[] = [];

  now(): number {
    return Math.floor(this.time);
  }

  monotonic(): number {
    return this.time;
  }

  after(ms: number, fn: () => void): () => void {
    const timer: Timer = { at: this.time + Math.max(0, ms), order: (this.order += 1), fn, cancelled: false };
    let i = this.timers.length;
    while (i > 0 && (this.timers[i - 1]?.at ?? 0) > timer.at) i -= 1;
    this.timers.splice(i, 0, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let next = this.timers[0]; next !== undefined && next.at <= end; next = this.timers[0]) {
      this.timers.shift();
      this.time = next.at;
      if (next.cancelled) continue;
      next.fn();
      await settled();
    }
    this.time = end;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
