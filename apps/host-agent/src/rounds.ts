import { Guard } from './guard.js';
import { type ServiceHost } from './service.js';

/** Something that is done at an interval, one round after the other, as long as it is wanted. */
export class Rounds {
  #run: { cancel: () => void } | null = null;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  readonly #guard: Guard;

  constructor(
    private readonly host: Pick<ServiceHost, 'clock' | 'log'>,
    private readonly intervalMs: number,
    /** One that fails is told, and the next comes. `isFirst` since it was begun; `isWanted` is false once that has ended. */
    private readonly round: (isFirst: boolean, isWanted: () => boolean) => Promise<void>,
  ) {
    this.#guard = new Guard(host.log);
  }

  /** The first round is at once. */
  begin(): void {
    if (this.#run !== null || this.#closed) return;
    this.#run = { cancel: () => undefined };
    this.#next(this.#run, true);
  }

  /** A round that is under way goes on, and none comes after it. */
  end(): void {
    this.#run?.cancel();
    this.#run = null;
  }

  /** For good; resolves when no round is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.end();
    await this.#running;
  }

  #next(run: { cancel: () => void }, isFirst: boolean): void {
    const isWanted = (): boolean => this.#run === run;
    this.#running = this.round(isFirst, isWanted)
      .catch((cause: unknown) => this.#guard.tell('do a round', cause))
      .then(() => {
        if (isWanted()) run.cancel = this.host.clock.after(this.intervalMs, () => this.#next(run, false));
      });
  }
}
