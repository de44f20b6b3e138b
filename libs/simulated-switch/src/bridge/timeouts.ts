import { type Clock } from '#kernel';
import { type Flow } from '#openflow';

/** Flows that end by themselves. */
export class Timeouts {
  private readonly cancels = new Map<Flow, (() => void)[]>();

  constructor(
    private readonly clock: Clock,
    /** When a flow last carried a frame; undefined: it does not stand any more. */
    private readonly usedAt: (flow: Flow) => number | undefined,
    private readonly expire: (flow: Flow) => void,
    private readonly lateMs: () => number = () => 0,
  ) {}

  watch(flow: Flow): void {
    const { hardTimeout = 0, idleTimeout = 0 } = flow;
    if (hardTimeout > 0) this.later(flow, hardTimeout * 1000 + this.lateMs(), () => this.end(flow));
    if (idleTimeout > 0) this.later(flow, idleTimeout * 1000, () => this.idle(flow, idleTimeout * 1000));
  }

  close(): void {
    for (const flow of [...this.cancels.keys()]) this.forget(flow);
  }

  private idle(flow: Flow, ms: number): void {
    const used = this.usedAt(flow);
    if (used === undefined) return this.forget(flow);
    const left = used + ms - this.clock.monotonic();
    if (left <= 0) this.end(flow);
    else this.later(flow, left, () => this.idle(flow, ms));
  }

  private end(flow: Flow): void {
    this.forget(flow);
    if (this.usedAt(flow) !== undefined) this.expire(flow);
  }

  private later(flow: Flow, ms: number, fn: () => void): void {
    this.cancels.set(flow, [...(this.cancels.get(flow) ?? []), this.clock.after(ms, fn)]);
  }

  private forget(flow: Flow): void {
    for (const cancel of this.cancels.get(flow) ?? []) cancel();
    this.cancels.delete(flow);
  }
}
