import { err, ok, problem, type Result } from '#kernel';
import { BulkFold, evolveAll } from './bulk-fold.js';
import {
  EMPTY_HEAD,
  readMessage,
  type Head,
  type Poison,
  type ReadRules,
  type Repudiations,
} from './chain-reader.js';
import { CommandIndex } from './command-index.js';
import { type ChunkEnvelope } from './envelope.js';
import { type StoredMessage } from './commit-log.js';
import { type Commit, type Decider, type EventMeta } from './decider.js';

/** What a replica needs to know to read a log into a state. */
export interface ReplicaRules<State, Event> extends ReadRules<Event> {
  readonly decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve' | 'bulk'>;
  /** Default: 24 hours. */
  readonly commandRetentionMs?: number;
}

/** A state read from the log, and all that is needed to read on. */
export interface ReplicaState<State> {
  readonly state: State;
  readonly head: Head;
  readonly commands: CommandIndex;
  /** Messages that were skipped, or would have been, while reading up to here. */
  readonly repudiated: Repudiations;
}

/** Outcome of one message. `repudiation` names one that this replica did not know when it read its target. */
export type Applied<State, Event> =
  | { readonly kind: 'commit'; readonly commit: Commit<Event>; readonly before: State; readonly after: State }
  | { readonly kind: 'none' }
  | { readonly kind: 'late-repudiation' };

/** The same of a message that was folded with others: the states between them are nobody's. */
export type Folded<Event> =
  | { readonly kind: 'commit'; readonly commit: Commit<Event> }
  | { readonly kind: 'none' }
  | { readonly kind: 'late-repudiation' };

type Evolving<Event> = (events: readonly Event[], meta: EventMeta) => void;

const NONE = { kind: 'none' } as const;
const LATE = { kind: 'late-repudiation' } as const;

/** Folds messages into a state. Stops at what it can't read: `apply` and `fold` change nothing then. */
export class Replica<State, Event> {
  #state: State;
  /** Holds the state while many messages are folded. */
  #bulk: BulkFold<State, Event> | undefined;
  #head: Head;
  readonly #commands: CommandIndex;
  readonly #repudiated: Map<string, ReplicaState<State>['head']['revision']>;
  readonly #staged = new Map<string, string[]>();

  constructor(
    readonly rules: ReplicaRules<State, Event>,
    from?: ReplicaState<State>,
    repudiated: Repudiations = new Map(),
  ) {
    this.#state = from?.state ?? rules.decider.initial;
    this.#head = from?.head ?? EMPTY_HEAD;
    this.#commands = from?.commands.fork() ?? new CommandIndex(rules.commandRetentionMs);
    this.#repudiated = new Map([...(from?.repudiated ?? []), ...repudiated]);
  }

  /** Stays as it is, whatever is applied or folded later. */
  get state(): State {
    return this.#settled();
  }
  get head(): Head {
    return this.#head;
  }
  /** Ids of commits of which only chunks were seen so far. */
  get staged(): readonly string[] {
    return [...this.#staged.keys()];
  }
  /** All that another replica needs to go on from here. Not while chunks are staged. */
  capture(): ReplicaState<State> {
    const { commands, repudiated } = { commands: this.#commands, repudiated: this.#repudiated };
    return {
      state: this.#settled(),
      head: this.#head,
      commands: commands.fork(),
      repudiated: new Map(repudiated),
    };
  }

  apply(message: StoredMessage): Result<Applied<State, Event>, Poison> {
    const before = this.#settled();
    const done = this.#next(message, (events, meta) => {
      this.#state = evolveAll(this.rules.decider, before, events, meta);
    });
    if (!done.ok || done.value.kind !== 'commit') return done as Result<Applied<State, Event>, Poison>;
    return ok({ ...done.value, before, after: this.#state });
  }

  /** As `apply`, for those who read on without looking at each state: that of the rules' `bulk` changes in place. */
  fold(message: StoredMessage): Result<Folded<Event>, Poison> {
    return this.#next(message, this.#foldEvents);
  }

  readonly #foldEvents = (events: readonly Event[], meta: EventMeta): void => {
    this.#bulk ??= new BulkFold(this.rules.decider, this.#state);
    this.#bulk.fold(events, meta);
  };

  #settled(): State {
    if (this.#bulk !== undefined) {
      this.#state = this.#bulk.end();
      this.#bulk = undefined;
    }
    return this.#state;
  }

  #next(message: StoredMessage, evolve: Evolving<Event>): Result<Folded<Event>, Poison> {
    const read = readMessage(message, this.#head, this.#staged, this.#repudiated, this.rules);
    if (!read.ok) return read;
    if (read.value.kind !== 'commit') {
      this.#head = read.value.head;
      if (read.value.kind === 'chunk') this.#stage(message);
      return ok(NONE);
    }
    const { head, commit, log } = read.value;
    const { lineage, revision } = commit;
    for (const e of log) {
      if (e.type === 'Repudiated' && !this.#repudiated.has(e.data.hash)) return ok(LATE);
    }
    try {
      evolve(commit.events, { lineage, revision, time: head.time });
    } catch (cause) {
      const fault = problem('internal', `the events can't be applied: ${String(cause)}`);
      return err({ seq: message.seq, revision: head.revision, hash: head.hash, problem: fault });
    }
    for (const e of log) if (e.type === 'ChunksAbandoned') this.#staged.delete(e.data.commit);
    this.#staged.delete(commit.id);
    this.#head = head;
    const { time: at, seq } = head;
    this.#commands.remember(commit.commandId, { at, seq, lineage, revision });
    return ok({ kind: 'commit', commit });
  }

  #stage(message: StoredMessage): void {
    const { data } = JSON.parse(new TextDecoder().decode(message.bytes)) as ChunkEnvelope;
    const parts = this.#staged.get(data.commit);
    if (parts === undefined) this.#staged.set(data.commit, [data.part]);
    else parts.push(data.part);
  }
}
