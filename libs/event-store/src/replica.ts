import { err, ok, problem, type Result } from '#kernel';
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
  readonly decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve'>;
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

/** Folds messages into a state. Stops at what it can't read: `apply` changes nothing then. */
export class Replica<State, Event> {
  #state: State;
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

  get state(): State {
    return this.#state;
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
      state: this.#state,
      head: this.#head,
      commands: commands.fork(),
      repudiated: new Map(repudiated),
    };
  }

  apply(message: StoredMessage): Result<Applied<State, Event>, Poison> {
    const read = readMessage(message, this.#head, this.#staged, this.#repudiated, this.rules);
    if (!read.ok) return read;
    if (read.value.kind !== 'commit') {
      this.#head = read.value.head;
      if (read.value.kind === 'chunk') this.#stage(message);
      return ok({ kind: 'none' });
    }
    const { head, commit, log } = read.value;
    const before = this.#state;
    const { lineage, revision } = commit;
    const after = this.#evolve(before, commit.events, { lineage, revision, time: head.time });
    if (!after.ok)
      return err({ seq: message.seq, revision: head.revision, hash: head.hash, problem: after.error });
    for (const e of log) {
      if (e.type === 'Repudiated' && !this.#repudiated.has(e.data.hash))
        return ok({ kind: 'late-repudiation' });
      if (e.type === 'ChunksAbandoned') this.#staged.delete(e.data.commit);
    }
    this.#staged.delete(commit.id);
    this.#state = after.value;
    this.#head = head;
    const { time: at, seq } = head;
    this.#commands.remember(commit.commandId, {
      at,
      seq,
      lineage,
      revision,
    });
    return ok({ kind: 'commit', commit, before, after: after.value });
  }

  #evolve(state: State, events: readonly Event[], meta: EventMeta): Result<State> {
    try {
      let next = state;
      for (const event of events) next = this.rules.decider.evolve(next, event, meta);
      return ok(next);
    } catch (cause) {
      return err(problem('internal', `the events can't be applied: ${String(cause)}`));
    }
  }

  #stage(message: StoredMessage): void {
    const { data } = JSON.parse(new TextDecoder().decode(message.bytes)) as ChunkEnvelope;
    const parts = this.#staged.get(data.commit);
    if (parts === undefined) this.#staged.set(data.commit, [data.part]);
    else parts.push(data.part);
  }
}
