import { type Clock } from '#kernel';

/**
 * Watches a peer for signs of life: after `ms` of silence it is probed, after twice that it is given up. A hung
 * peer keeps its socket open, so nothing else would tell.
 */
export class KeepAlive {
  private lastHeard = 0;
  private cancel: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly on: { probe(): void; dead(reason: string): void },
  ) {}

  start(): void {
    this.stop();
    this.lastHeard = this.clock.monotonic();
    this.plan(this.ms, false);
  }

  heard(): void {
    this.lastHeard = this.clock.monotonic();
  }

  stop(): void {
    this.cancel();
    this.cancel = () => undefined;
  }

  private plan(ms: number, probed: boolean): void {
    this.cancel = this.clock.after(ms, () => {
      const silent = this.clock.monotonic() - this.lastHeard;
      if (silent < this.ms) return this.plan(this.ms - silent, false);
      if (probed) return this.on.dead(`no sign of life for ${Math.round(silent)} ms`);
      this.on.probe();
      this.plan(this.ms, true);
    });
  }
}
