import { problem, ProblemError, type Clock, type Lineage, type Problem, type Revision } from '#kernel';
import { type Head, type Poison } from './chain-reader.js';
import { ArchivedError, type CommitLog, type Following, type StoredMessage } from './commit-log.js';
import { type Commit, type CommitListener } from './decider.js';
import { catchUp, holdsHead, poisonProblem, startReplica, type Notice } from './load.js';
import { type Replica, type ReplicaRules, type ReplicaState } from './replica.js';
import { type SnapshotRules } from './snapshot.js';

export interface FollowerOptions<State, Event> {
  readonly log: CommitLog;
  readonly rules: ReplicaRules<State, Event>;
  readonly clock: Clock;
  readonly snapshots?: SnapshotRules<State>;
  readonly notice?: Notice;
  /** What comes is taken in after so long, ms; absent: at once. For who has something more urgent to do then. */
  readonly lagMs?: number;
  /** An exception of a listener, or a fault of the store that ends the following. */
  readonly onFault: (cause: unknown) => void;
}

/** `poisoned`: stands before a message that can't be read, until it is repudiated. */
export type FollowerStatus = 'loading' | 'live' | 'poisoned' | 'closed';

/** Before a log that could not be asked is asked again. */
const LOOK_AGAIN_MS = 500;

interface Waiter {
  readonly lineage: Lineage | undefined;
  readonly revision: number;
  readonly done: (fault?: Problem) => void;
}

/** Holds the state of the log as it grows, for everyone who reads. Never acts on a message that it can't read. */
export class Follower<State, Event> {
  #replica: Replica<State, Event> | undefined;
  #following: Following | undefined;
  #status: FollowerStatus = 'loading';
  #poison: Poison | undefined;
  #restarting: Promise<void> | undefined;
  #lost: Head | undefined;
  #looking = false;
  #queue: StoredMessage[] = [];
  #due: (() => void) | undefined;
  readonly #listeners = new Set<CommitListener<State, Event>>();
  readonly #reloadListeners = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();

  constructor(readonly options: FollowerOptions<State, Event>) {}

  get status(): FollowerStatus {
    return this.#status;
  }
  get state(): State {
    return this.#replica?.state ?? this.options.rules.decider.initial;
  }
  get head(): Head | undefined {
    return this.#replica?.head;
  }
  get revision(): Revision {
    return this.#replica?.head.revision ?? (0 as Revision);
  }
  get lineage(): Lineage | undefined {
    return this.#replica?.head.lineage;
  }
  get poison(): Poison | undefined {
    return this.#poison;
  }

  /** Where this reader had come in a log that is no more: what answers now does not hold it. */
  get lost(): Head | undefined {
    return this.#lost;
  }

  /** Called when everything was read anew: the state is not the one before with something added to it. */
  onReload(listener: () => void): () => void {
    this.#reloadListeners.add(listener);
    return () => this.#reloadListeners.delete(listener);
  }

  /** For snapshots and for a sequencer in this process. Undefined while loading, or with chunks staged. */
  capture(): ReplicaState<State> | undefined {
    const replica = this.#replica;
    return replica === undefined || replica.staged.length > 0 ? undefined : replica.capture();
  }

  /** Called for each commit after loading, in order. The returned function unsubscribes. */
  onCommit(listener: CommitListener<State, Event>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves when the log was read to its end as known then; from then on it follows. A poisoned log resolves too:
   * see `status`. Throws ProblemError when the store does not answer.
   */
  async start(): Promise<void> {
    const { log, rules, snapshots, notice } = this.options;
    for (let attempt = 1; ; attempt++) {
      const replica = await startReplica(log, rules, snapshots, notice, (head) => this.#lose(head));
      const caughtUp = await catchUp(log, replica);
      if (this.#status === 'closed') return;
      if (!caughtUp.ok && caughtUp.error.problem.retry && attempt < 3) continue;
      this.#replica = replica;
      this.#status = 'live';
      this.#poison = undefined;
      if (!caughtUp.ok) this.#stopAt(caughtUp.error);
      break;
    }
    this.#dropQueue();
    this.#following = log.follow(
      this.#replica.head.seq + 1,
      (message) => this.#came(message),
      (cause) => this.#onEnd(cause),
      () => void this.#lookAgain(),
    );
    this.#wake();
  }

  /** Stops following. Waiters get `unavailable`. Idempotent. */
  async close(): Promise<void> {
    this.#status = 'closed';
    this.#dropQueue();
    await this.#following?.stop();
    await this.#restarting;
    this.#failWaiters(problem('unavailable', 'the reader was closed'));
  }

  /**
   * Resolves when the state holds a revision of a lineage (default: whatever lineage is current). Throws ProblemError
   * `unavailable` after `timeoutMs` (default 5,000), when closed, or when poisoned.
   */
  waitFor(revision: number, options: { lineage?: Lineage; timeoutMs?: number } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = problem('unavailable', `revision ${revision} did not arrive in time`);
      const waiter: Waiter = {
        lineage: options.lineage,
        revision,
        done: (fault) => {
          cancel();
          this.#waiters.delete(waiter);
          if (fault === undefined) resolve();
          else reject(new ProblemError(fault));
        },
      };
      const cancel = this.options.clock.after(options.timeoutMs ?? 5000, () => waiter.done(late));
      this.#waiters.add(waiter);
      this.#takeQueue();
      this.#wake();
    });
  }

  /** Takes in at once what came and was put off. */
  settle(): void {
    this.#takeQueue();
  }

  #came(message: StoredMessage): void {
    const { lagMs = 0, clock } = this.options;
    if (lagMs === 0) return this.#onMessage(message);
    this.#queue.push(message);
    this.#due ??= clock.after(lagMs, () => this.#takeQueue());
  }

  #takeQueue(): void {
    const messages = this.#queue;
    this.#dropQueue();
    try {
      for (const message of messages) this.#onMessage(message);
    } catch (cause) {
      void this.#following?.stop();
      this.#onEnd(cause);
    }
  }

  #dropQueue(): void {
    this.#due?.();
    this.#due = undefined;
    this.#queue = [];
  }

  #onMessage(message: StoredMessage): void {
    if (this.#status === 'closed' || this.#restarting !== undefined) return;
    if (this.#status === 'poisoned') {
      // Only a repudiation can help; it is found by reading everything again.
      if (message.topic === 'repudiation') this.#restart();
      return;
    }
    const applied = this.#replica!.apply(message);
    if (!applied.ok) {
      this.#stopAt(applied.error);
      void this.#lookAgain();
    } else if (applied.value.kind === 'late-repudiation') this.#restart();
    else if (applied.value.kind === 'commit') {
      this.#tell(applied.value.commit, applied.value.before, applied.value.after);
      this.#wake();
    }
  }

  /** What comes next was archived while this one was away: a snapshot, or the archive, goes on further. */
  #onEnd(cause: unknown): void {
    if (cause instanceof ArchivedError) this.#restart();
    else this.options.onFault(cause);
  }

  /**
   * The log may have been restored from an older copy: what it holds behind that belongs to another history, of which
   * nothing can be read on from here. Asked until there is an answer.
   */
  async #lookAgain(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { log, rules, clock, notice } = this.options;
    try {
      const head = this.#replica!.head;
      if (await holdsHead(log, head, rules.hash)) return;
      notice?.(`the log does not hold revision ${head.revision} any more, which was read: reading it anew`);
      this.#lose(head);
      this.#restart();
    } catch (cause) {
      if (cause instanceof ArchivedError) return this.#restart();
      if (!(cause instanceof ProblemError)) throw cause;
      if (this.#status !== 'closed') clock.after(LOOK_AGAIN_MS, () => void this.#lookAgain());
    } finally {
      this.#looking = false;
    }
  }

  /** What was read last counts: a snapshot of before may be of yet another history. */
  #lose(head: Head): void {
    if (this.#lost === undefined || head.time >= this.#lost.time) this.#lost = head;
  }

  #restart(): void {
    if (this.#restarting !== undefined || this.#status === 'closed') return;
    this.#restarting = (async () => {
      await this.#following?.stop();
      this.#restarting = undefined;
      if (this.#status !== 'closed') await this.start();
      for (const listener of this.#reloadListeners) listener();
    })().catch((cause: unknown) => {
      this.#restarting = undefined;
      if (!(cause instanceof ProblemError)) return this.options.onFault(cause);
      // A log that does not answer now: whoever gave it up here would stand still for ever, and not say so.
      if (this.#status !== 'closed') this.options.clock.after(LOOK_AGAIN_MS, () => this.#restart());
    });
  }

  #stopAt(poison: Poison): void {
    this.#poison = poison;
    this.#status = 'poisoned';
    this.#failWaiters(poisonProblem(poison));
  }

  #tell(commit: Commit<Event>, before: State, after: State): void {
    for (const listener of this.#listeners) {
      try {
        listener(commit, before, after);
      } catch (cause) {
        this.options.onFault(cause);
      }
    }
  }

  #wake(): void {
    if (this.#waiters.size === 0) return;
    if (this.#poison !== undefined) this.#failWaiters(poisonProblem(this.#poison));
    for (const waiter of this.#waiters) {
      if (waiter.lineage !== undefined && waiter.lineage !== this.lineage) continue;
      if (this.revision >= waiter.revision) waiter.done();
    }
  }

  #failWaiters(fault: Problem): void {
    for (const waiter of this.#waiters) waiter.done(fault);
  }
}
