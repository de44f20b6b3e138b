import { type Lineage, type Problem, type Revision } from '#kernel';

/** What a command was answered with. `seq` is the position of its commit; 0 when it had none. */
export interface KnownCommand {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly seq: number;
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly rejection?: Problem;
}

/** Forgetting a little late is allowed, and cheaper. */
const SWEEP_EVERY = 256;

export const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Answers by command id, so that a retry gets the first answer. Accepted commands come back from the log;
 * rejections and commands without events live in snapshots only.
 */
export class CommandIndex {
  readonly #known: Map<string, KnownCommand>;
  #remembered = 0;

  constructor(
    readonly retentionMs: number = DAY_MS,
    known: Iterable<readonly [string, KnownCommand]> = [],
  ) {
    this.#known = new Map(known);
  }

  find(commandId: string): KnownCommand | undefined {
    return this.#known.get(commandId);
  }

  /** The first answer stands. Now and then forgets what is older than the retention. */
  remember(commandId: string, command: KnownCommand): void {
    if (!this.#known.has(commandId)) this.#known.set(commandId, command);
    if (++this.#remembered % SWEEP_EVERY === 0) this.#forget(command.at - this.retentionMs);
  }

  #forget(limit: number): void {
    for (const [id, { at }] of this.#known) {
      if (at >= limit) break;
      this.#known.delete(id);
    }
  }

  fork(): CommandIndex {
    return new CommandIndex(this.retentionMs, this.#known);
  }

  toJson(): readonly (readonly [string, KnownCommand])[] {
    return [...this.#known];
  }

  get size(): number {
    return this.#known.size;
  }
}
