import { type Clock } from '#kernel';

/** Repairs that may follow each other at once, and how long each takes to be allowed again. */
const AT_ONCE = 20;
const AGAIN_MS = 50;

/**
 * Repairs what others change at once, unless they change something all the time: then some times a second, as two that
 * fight over a flow would take the whole machine.
 */
export class Calm {
  #left = AT_ONCE;
  #countedAt: number;
  #timer: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly repair: () => void,
  ) {
    this.#countedAt = clock.monotonic();
  }

  get waits(): boolean {
    return this.#timer !== null;
  }

  kick(): void {
    if (this.#timer !== null) return;
    const now = this.clock.monotonic();
    this.#left = Math.min(AT_ONCE, this.#left + (now - this.#countedAt) / AGAIN_MS);
    this.#countedAt = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      return this.repair();
    }
    this.#timer = this.clock.after(AGAIN_MS, () => {
      this.#timer = null;
      this.repair();
    });
  }

  close(): void {
    this.#timer?.();
    this.#timer = null;
  }
}
