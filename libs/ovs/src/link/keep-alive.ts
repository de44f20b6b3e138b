import { type Clock } from '#kernel';

/**
 * Watches a peer for signs of life: after `ms` of silence it is probed, after twice that it is given up. A hung
 * peer keeps its socket open, so nothing else would tell.
 */
export class KeepAlive {
  private lastHeard = 0;
  /** Asked since the last sign of life. */
  private probed = false;
  private cancel: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly on: { probe(): void; dead(reason: string): void },
  ) {}

  start(): void {
    this.stop();
    this.heard();
    this.plan(this.ms);
  }

  heard(): void {
    this.lastHeard = this.clock.monotonic();
    this.probed = false;
  }

  stop(): void {
    this.cancel();
    this.cancel = () => undefined;
  }

  private plan(ms: number): void {
    this.cancel = this.clock.after(ms, () => this.check());
  }

  private check(): void {
    const silent = this.clock.monotonic() - this.lastHeard;
    if (silent < this.ms) return this.plan(this.ms - silent);
    if (this.probed) return this.on.dead(`no sign of life for ${Math.round(silent)} ms`);
    this.probed = true;
    this.plan(this.ms);
    this.on.probe();
  }
}
