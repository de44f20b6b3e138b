/** Most different errors that are remembered, each to be said once. */
const REMEMBERED = 100;

/**
 * Keeps an error of one part where it happened: what comes from guests, from the wire and from the switch ends nothing
 * but what was being done. It is logged once, with its place, as what causes it may come at any rate.
 */
export class Guard {
  readonly #said = new Set<string>();

  constructor(private readonly log: { warn(fields: object, message: string): void }) {}

  /** Undefined: it failed, which was told, and `failed` was called. */
  run<T>(doing: string, act: () => T, failed?: () => void): T | undefined {
    try {
      return act();
    } catch (cause) {
      this.tell(doing, cause);
      failed?.();
      return undefined;
    }
  }

  tell(doing: string, cause: unknown): void {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    if (this.#said.has(reason) || this.#said.size >= REMEMBERED) return;
    this.#said.add(reason);
    this.log.warn({ doing, reason }, 'a part of the agent failed at this, and goes on with what comes next');
  }
}
