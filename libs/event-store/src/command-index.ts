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
 * A silence between two commands counts for no more than this, ms. The log's time follows its leaders' wall clocks: by
 * one that was set forward by a day, all that was asked just now would be forgotten, and done again when asked again.
 */
const LONGEST_SILENCE_MS = 60 * 60 * 1000;

/** A silence that was longer: what comes at `at` or later is younger by `excess`, ms. */
interface Leap {
  readonly at: number;
  readonly excess: number;
}

/**
 * Answers by command id, so that a retry gets the first answer. Accepted commands come back from the log;
 * rejections and commands without events live in snapshots only.
 */
export class CommandIndex {
  readonly #known = new Map<string, KnownCommand>();
  #leaps: readonly Leap[] = [];
  #newest: number | undefined;
  #remembered = 0;

  constructor(
    readonly retentionMs: number = DAY_MS,
    known: Iterable<readonly [string, KnownCommand]> = [],
  ) {
    for (const [id, command] of known) this.#put(id, command);
  }

  find(commandId: string): KnownCommand | undefined {
    return this.#known.get(commandId);
  }

  /** The first answer stands. Now and then forgets what is older than the retention. */
  remember(commandId: string, command: KnownCommand): void {
    if (!this.#known.has(commandId)) this.#put(commandId, command);
    if (++this.#remembered % SWEEP_EVERY === 0) this.#forget(this.#counted(command.at) - this.retentionMs);
  }

  #put(id: string, command: KnownCommand): void {
    const { at } = command;
    const excess = at - (this.#newest ?? at) - LONGEST_SILENCE_MS;
    if (excess > 0) this.#leaps = [...this.#leaps, { at, excess }];
    this.#newest = at;
    this.#known.set(id, command);
  }

  /** The log's time without what does not count. */
  #counted(at: number): number {
    return this.#leaps.reduce((counted, leap) => (leap.at <= at ? counted - leap.excess : counted), at);
  }

  #forget(limit: number): void {
    for (const [id, { at }] of this.#known) {
      if (this.#counted(at) >= limit) {
        // Before what is left they make no difference any more.
        this.#leaps = this.#leaps.filter((leap) => leap.at > at);
        break;
      }
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
