import { type Clock } from '#kernel';

/** Lets one loop sleep until a time or a nudge, whichever is first. A nudge while awake is kept for the next sleep. */
export class Pacer {
  private wake: (() => void) | null = null;
  private nudged = false;

  constructor(private readonly clock: Clock) {}

  nudge(): void {
    this.nudged = true;
    this.wake?.();
  }

  /** True when nudged, false when the time passed. */
  sleep(ms: number): Promise<boolean> {
    if (this.nudged || ms <= 0) {
      const nudged = this.nudged;
      this.nudged = false;
      return Promise.resolve(nudged);
    }
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, () => end(false));
      const end = (nudged: boolean): void => {
        this.wake = null;
        this.nudged = false;
        cancel();
        resolve(nudged);
      };
      this.wake = () => end(true);
    });
  }

  /** As `sleep`, but only the time ends it. */
  pause(ms: number): Promise<void> {
    return ms <= 0 ? Promise.resolve() : new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}
