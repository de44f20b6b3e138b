import { problem, type Clock, type Problem, type Result } from '#kernel';
import { type AppendError, type CommitLog } from './commit-log.js';
import { type Placed } from './commit-writer.js';
import { type Hash } from './envelope.js';

/** One thing to be told of in order: after its message, if it has one, and everything before it is stored. */
interface Entry<T> {
  readonly placed: Placed | undefined;
  readonly payload: T;
  stored: boolean;
  /** An attempt ended without an answer: the message may be stored. */
  maybe: boolean;
}

/** Why a pipeline came to its end. */
export type EndReason = 'fenced' | 'log-lost' | 'log-unavailable';

export interface PipelineOptions<T> {
  readonly log: CommitLog;
  readonly clock: Clock;
  readonly hash: Hash;
  /** How long to look for the truth after a failed append before giving up, milliseconds. */
  readonly settleMs: number;
  /** Called once for each payload, in order, when all up to it is stored. Must not throw. */
  readonly onStored: (payload: T) => void;
  /** Called once instead, when that will not happen here. Must not throw. */
  readonly onFailed: (payload: T, fault: Problem) => void;
  readonly onEnd: (reason: EndReason, fault: Problem) => void;
  readonly onFault: (cause: unknown) => void;
}

const REFUSED = 'wrong-last-sequence' satisfies AppendError;
/** A lost answer leaves no more than this to be looked up one by one. */
const LONGEST_RUN = 64;
const RETRY_MS = [10, 20, 50, 100, 250];

/**
 * Appends without waiting, and releases in order. When an append fails it waits until all that are under way have
 * ended, then places them again one by one: same id, same bytes, same place, so each either turns out stored or is
 * stored now. If another message holds the place, another writer took over, and nothing from there on can ever be
 * stored: each message names its predecessor. The place alone is not enough: a log that was restored from an older copy
 * may have grown to the very length that this writer left it at. Servers forget the predecessor's id in time; what they
 * refuse for that is placed after a look at what stands before it.
 */
export class Pipeline<T> {
  #entries: Entry<T>[] = [];
  #first = 0;
  /** Placed in this turn of the event loop, and not sent yet. */
  #run: Entry<T>[] = [];
  /** Runs sent and not answered. */
  #underWay = 0;
  #state: 'flowing' | 'settling' | 'ended' = 'flowing';
  #quiet: (() => void) | undefined;
  #drained: (() => void)[] = [];

  constructor(readonly options: PipelineOptions<T>) {}

  get state(): 'flowing' | 'settling' | 'ended' {
    return this.#state;
  }
  /** Slots not yet answered. */
  get length(): number {
    return this.#entries.length - this.#first;
  }

  push(placed: Placed | undefined, payload: T): void {
    const entry: Entry<T> = { placed, payload, stored: placed === undefined, maybe: false };
    this.#entries.push(entry);
    if (placed === undefined) {
      this.#release();
      return;
    }
    if (this.#run.length === 0) queueMicrotask(this.#send);
    this.#run.push(entry);
    if (this.#run.length === LONGEST_RUN) this.#send();
  }

  /** What was placed in one turn goes as one run, with one answer: an answer for each would cost as much again. */
  readonly #send = (): void => {
    const run = this.#run;
    this.#run = [];
    // While settling, messages are placed one by one, these among them; after the end they have been answered for.
    if (run.length === 0 || this.#state !== 'flowing') return;
    this.#underWay++;
    const { expectedLastSeq, previousId } = run[0]!.placed!;
    const messages = run.map(({ placed }) => placed!.message);
    this.options.log.appendRun(messages, expectedLastSeq, previousId).then(
      (result) => this.#onAppended(run, result),
      (cause: unknown) => {
        // Adapters answer with values; one that throws has a defect, and nothing is known of the messages.
        this.options.onFault(cause);
        this.#onAppended(run, { ok: false, error: 'unknown' });
      },
    );
  };

  /** Resolves when nothing waits any more, or the pipeline has ended. */
  drained(): Promise<void> {
    if (this.length === 0 || this.#state === 'ended') return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #onAppended(run: readonly Entry<T>[], result: Result<unknown, AppendError>): void {
    this.#underWay--;
    if (result.ok) {
      for (const entry of run) entry.stored = true;
      if (this.#entries[this.#first] === run[0]) this.#release();
    } else {
      // The last was refused its place: those before it may stand.
      const unsure = result.error === 'unknown' ? run : result.error === REFUSED ? run.slice(0, -1) : [];
      for (const entry of unsure) entry.maybe = true;
      if (this.#state === 'flowing') {
        this.#state = 'settling';
        void this.#settle();
      }
    }
    if (this.#underWay === 0) this.#quiet?.();
  }

  #release(): void {
    for (let entry; (entry = this.#entries[this.#first])?.stored;) {
      this.#first++;
      this.options.onStored(entry.payload);
    }
    if (this.#first === this.#entries.length || this.#first > 4096) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
    if (this.length === 0) this.#notifyDrained();
  }

  #notifyDrained(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  async #settle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#quiet = resolve));
    this.#quiet = undefined;
    const until = this.options.clock.monotonic() + this.options.settleMs;
    for (let attempt = 0, isBehindOurs = false; ;) {
      const entry = this.#nextUnstored();
      if (entry === undefined) break;
      const verdict = await this.#place(entry, isBehindOurs);
      isBehindOurs = verdict === 'stored';
      if (verdict === 'stored') {
        attempt = 0;
        entry.stored = true;
        this.#release();
      } else if (verdict !== 'try-again') {
        this.#end(verdict);
        return;
      } else if (this.options.clock.monotonic() >= until) {
        this.#end('log-unavailable');
        return;
      } else {
        await this.#pause(RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)]!);
      }
    }
    this.#state = 'flowing';
  }

  #nextUnstored(): Entry<T> | undefined {
    for (let i = this.#first; i < this.#entries.length; i++) {
      if (!this.#entries[i]!.stored) return this.#entries[i];
    }
    return undefined;
  }

  /** `isBehindOurs`: the message before it was placed just now. */
  async #place(entry: Entry<T>, isBehindOurs: boolean): Promise<'stored' | 'try-again' | EndReason> {
    const { message, expectedLastSeq } = entry.placed!;
    try {
      if (!isBehindOurs && expectedLastSeq > 0) {
        const before = await this.#before(entry.placed!);
        if (before !== 'ours') return before;
      }
      const result = await this.options.log.append(message, expectedLastSeq);
      if (result.ok) return 'stored';
      if (result.error === 'unknown') entry.maybe = true;
      if (result.error !== REFUSED) return 'try-again';
      for await (const batch of this.options.log.read(expectedLastSeq + 1)) {
        const found = batch[0];
        if (found === undefined) continue;
        const { hash } = this.options;
        return hash(found.bytes) === hash(message.bytes) ? 'stored' : 'fenced';
      }
      return (await this.options.log.last()) < expectedLastSeq ? 'log-lost' : 'try-again';
    } catch {
      // The store could not be asked: nothing is known yet, so it counts as any failed attempt.
      entry.maybe = true;
      return 'try-again';
    }
  }

  /** What stands where the message before this one was stored. */
  async #before({ expectedLastSeq, previousHash }: Placed): Promise<'ours' | EndReason> {
    for await (const batch of this.options.log.read(expectedLastSeq)) {
      const found = batch[0];
      if (found === undefined) continue;
      return this.options.hash(found.bytes) === previousHash ? 'ours' : 'fenced';
    }
    return 'log-lost';
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve));
  }

  #end(reason: EndReason): void {
    this.#state = 'ended';
    const open = this.#entries.splice(0).slice(this.#first);
    this.#first = 0;
    this.options.onEnd(reason, problem('unavailable', END_TEXT[reason]));
    for (const { payload, placed, maybe, stored } of open) {
      // Whoever holds the place of the first, holds it for ever: then nothing of ours can come after it. A message
      // may be stored behind one whose own ack was lost.
      const done = (maybe || (stored && placed !== undefined)) && reason !== 'fenced';
      this.options.onFailed(
        payload,
        done
          ? problem('unknown', `${END_TEXT[reason]}; it is not known whether this command was carried out`)
          : problem('unavailable', `${END_TEXT[reason]}; this command was not carried out`),
      );
    }
    this.#notifyDrained();
  }
}

const END_TEXT: Readonly<Record<EndReason, string>> = {
  fenced: 'another switch-manager has taken over',
  'log-lost': 'the log has lost messages that it had acknowledged',
  'log-unavailable': 'the log does not answer',
};
