import { type Clock } from '#kernel';

const FIRST_MS = 2_000;
const LONGEST_MS = 300_000;

/**
 * Interfaces that are plugged here and that no document speaks of. The log may have refused them when they were
 * told: another migration was running, the group was closing or full, the switch was not yet a member's. What stood in
 * the way may be gone without this host hearing of it, so they are told again, ever less often.
 */
export class Unplaced {
  #known = '';
  #delayMs = FIRST_MS;
  #cancel: () => void = () => undefined;

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly tellAgain: () => void,
  ) {}

  /** The iface-ids that wait now, after each pass. */
  seen(ifaceIds: readonly string[]): void {
    const waiting = [...ifaceIds].sort().join(' ');
    if (waiting === this.#known) return;
    this.#known = waiting;
    this.#delayMs = FIRST_MS;
    this.#arm();
  }

  close(): void {
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    if (this.#known === '') return;
    this.#cancel = this.clock.after(this.#delayMs, () => {
      this.#delayMs = Math.min(LONGEST_MS, this.#delayMs * 2);
      this.tellAgain();
      this.#arm();
    });
  }
}
