import {
  err,
  invalid,
  ok,
  problem,
  ProblemError,
  type Clock,
  type IdGenerator,
  type Lineage,
  type Problem,
  type Result,
  type Revision,
} from '#kernel';
import { evolveAll } from './bulk-fold.js';
import { toCommit, type Head, type Repudiations } from './chain-reader.js';
import { CommandIndex, type KnownCommand } from './command-index.js';
import { type CommitLog } from './commit-log.js';
import { CommitWriter, type Written } from './commit-writer.js';
import {
  type Accepted,
  type CommandMeta,
  type CommandRequest,
  type Commit,
  type CommitListener,
  type Decider,
} from './decider.js';
import { type CommitEnvelope } from './envelope.js';
import { logEvent, type LogEvent } from './log-events.js';
import { Pipeline, type EndReason } from './pipeline.js';
import { readEventsAt } from './read-events.js';
import { type ReplicaRules, type ReplicaState } from './replica.js';

export interface SequencerOptions<State, Command, Event> {
  readonly log: CommitLog;
  readonly rules: ReplicaRules<State, Event> & { readonly decider: Decider<State, Command, Event> };
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Name of the cluster: lower-case letters, digits and hyphens. */
  readonly cluster: string;
  /** Commands under way at once; more are refused as unavailable. Default 10,000. */
  readonly maxPending?: number;
  /** How long a failed append may take to be cleared up, milliseconds. Default 5,000. */
  readonly settleMs?: number;
  /** Default 16 Mi, see `WriterRules`. */
  readonly maxCommitLength?: number;
  /** An exception of a listener. The commit it was told of stands. */
  readonly onFault: (cause: unknown) => void;
  /** Called once if the sequencer has to step down, before the commands under way are answered. */
  readonly onEnd?: (reason: EndReason, fault: Problem) => void;
}

/** `ended`: fenced, or the log did not answer; a new sequencer must be made from the log. */
export type SequencerPhase = 'ready' | 'settling' | 'closing' | 'ended';

type Answer<Event> = Result<Accepted<Event>>;

/** What waits for its turn in the pipeline, as data: at high rates a closure for each costs more than the rest. */
type Waiting<State, Event> =
  | undefined
  | {
      readonly kind: 'answer';
      readonly commandId: string;
      readonly known: KnownCommand;
      readonly resolve: (answer: Answer<Event>) => void;
    }
  | {
      readonly kind: 'commit';
      readonly commandId: string;
      readonly envelope: CommitEnvelope;
      readonly events: readonly Event[];
      readonly before: State;
      readonly after: State;
      readonly head: Head;
      readonly resolve: (answer: Answer<Event>) => void;
    };

const COMMAND_ID = /^[A-Za-z0-9_.:/-]{1,128}$/;

/**
 * The one writer of a log. Decides serially on a state that runs ahead of the log, appends without waiting, and
 * answers when all that the answer rests on is stored. Made by `openSequencer`.
 */
export class Sequencer<State, Command, Event> {
  /** Runs ahead of the log. */
  #state: State;
  /** What is stored and released. */
  #settledState: State;
  #settledHead: Head;
  /** Where the log stood before this one wrote. */
  readonly began: Head;
  readonly #repudiated: Repudiations;
  readonly #commands: CommandIndex;
  readonly #writer: CommitWriter;
  readonly #pipeline: Pipeline<Waiting<State, Event>>;
  readonly #flying = new Map<string, Promise<Answer<Event>>>();
  readonly #listeners = new Set<CommitListener<State, Event>>();
  readonly #ended: Promise<Problem | undefined>;
  #resolveEnded!: (why: Problem | undefined) => void;
  #why: Problem | undefined;
  #closing = false;

  constructor(
    readonly options: SequencerOptions<State, Command, Event>,
    from: ReplicaState<State>,
  ) {
    const { log, clock, ids, cluster, rules, settleMs = 5000, maxCommitLength } = options;
    this.#state = from.state;
    this.#settledState = from.state;
    this.#settledHead = this.began = from.head;
    this.#repudiated = from.repudiated;
    this.#commands = from.commands;
    const limits = { maxBytes: log.maxBytes, ...(maxCommitLength === undefined ? {} : { maxCommitLength }) };
    this.#writer = new CommitWriter({ hash: rules.hash, ids, cluster, ...limits }, from.head);
    this.#pipeline = new Pipeline({
      log,
      clock,
      hash: rules.hash,
      settleMs,
      onStored: (waiting) => this.#onStored(waiting),
      onFailed: (waiting, fault) => waiting && this.#answer(waiting.commandId, waiting.resolve, err(fault)),
      onEnd: (reason, fault) => this.#onEnd(reason, fault),
      onFault: options.onFault,
    });
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  get phase(): SequencerPhase {
    if (this.#pipeline.state === 'ended') return 'ended';
    if (this.#closing) return 'closing';
    return this.#pipeline.state === 'settling' ? 'settling' : 'ready';
  }
  /** The state that the next command is decided on; may run ahead of the log. */
  get state(): State {
    return this.#state;
  }
  /** Where the log stands as far as it is acknowledged. */
  get head(): Head {
    return this.#settledHead;
  }
  /** Messages under way: not acknowledged, or not released yet. */
  get pending(): number {
    return this.#pipeline.length;
  }
  /** Resolves with the reason when this sequencer can't go on, or with undefined after `close`. */
  get ended(): Promise<Problem | undefined> {
    return this.#ended;
  }

  /** Called after each commit, in order, before its command is answered. The returned function unsubscribes. */
  onCommit(listener: CommitListener<State, Event>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** It was answered, or is about to be: asked again, it is the same answer. */
  knows(commandId: string): boolean {
    return this.#flying.has(commandId) || this.#commands.find(commandId) !== undefined;
  }

  /** The acknowledged state with everything a replica needs, for snapshots. */
  capture(): ReplicaState<State> {
    const { head, commands, repudiated } = {
      head: this.#settledHead,
      commands: this.#commands,
      repudiated: this.#repudiated,
    };
    return { state: this.#settledState, head, commands: commands.fork(), repudiated };
  }

  /** Decides and commits. A repeated id gets the first answer, also while the first is under way. */
  submit(request: CommandRequest<Command>): Promise<Answer<Event>> {
    const { commandId } = request;
    const flying = this.#flying.get(commandId);
    if (flying !== undefined) return flying.then(asRepeated);
    const known = this.#commands.find(commandId);
    if (known !== undefined) return this.#answerAgain(known);
    const refusal = this.#refusal() ?? checkMeta(request);
    if (refusal !== undefined) return Promise.resolve(err(refusal));
    return this.#fly(commandId, (resolve) => this.#decide(request, resolve));
  }

  /** Begins a new history from the present state: revisions count from 1 again. For restores. */
  openLineage(reason: string, actor: string): Promise<Answer<Event>> {
    const { lineage: previous, revision } = this.#writer.head;
    const lineage = this.options.ids.next() as Lineage;
    const before = previous === undefined ? {} : { previous: { lineage: previous, revision } };
    const events =
      previous === undefined ? [] : (this.options.rules.decider.reopen?.(this.#state, lineage) ?? []);
    return this.#record(
      { type: 'LineageOpened', data: { lineage, reason, ...before } },
      actor,
      reason,
      events,
    );
  }

  /** Allows events in forms that only readers of this level know. To be called when all of them do. */
  raiseSchemaLevel(level: number, actor: string): Promise<Answer<Event>> {
    return this.#record({ type: 'SchemaLevelRaised', data: { level } }, actor, `schema level ${level}`);
  }

  /** Drops what an earlier leader staged and never committed. */
  abandonChunks(commit: string, actor: string): Promise<Answer<Event>> {
    return this.#record({ type: 'ChunksAbandoned', data: { commit } }, actor, 'never committed');
  }

  /** Fences whoever wrote before: their appends under way can't be stored after this one. */
  takeLeadership(by: string): Promise<Answer<Event>> {
    return this.#record({ type: 'LeadershipTaken', data: { by } }, by, 'took over');
  }

  /** Takes no more commands, answers those under way, and ends. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#pipeline.drained();
    this.#resolveEnded(this.#why);
  }

  #record(
    event: LogEvent,
    actor: string,
    reason: string,
    events: readonly Event[] = [],
  ): Promise<Answer<Event>> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.resolve(err(refusal));
    const meta = { commandId: this.options.ids.next(), actor, reason };
    return this.#fly(meta.commandId, (resolve) =>
      this.#commit(meta, events, resolve, this.#now(), undefined, event),
    );
  }

  #refusal(): Problem | undefined {
    const phase = this.phase;
    if (phase === 'ended')
      return this.#why ?? problem('unavailable', 'this switch-manager is not the leader');
    if (phase === 'closing') return problem('unavailable', 'this switch-manager is stopping');
    if (phase === 'settling') return problem('unavailable', 'the log does not answer at the moment');
    if (this.#pipeline.length >= (this.options.maxPending ?? 10_000))
      return problem('unavailable', 'too many commands are under way');
    return undefined;
  }

  #fly(commandId: string, start: (resolve: (a: Answer<Event>) => void) => void): Promise<Answer<Event>> {
    let resolve!: (a: Answer<Event>) => void;
    const promise = new Promise<Answer<Event>>((r) => (resolve = r));
    this.#flying.set(commandId, promise);
    start(resolve);
    return promise;
  }

  #answer(commandId: string, resolve: (a: Answer<Event>) => void, answer: Answer<Event>): void {
    this.#flying.delete(commandId);
    resolve(answer);
  }

  #now(): number {
    return Math.max(this.options.clock.now(), this.#writer.head.time);
  }

  #decide(request: CommandRequest<Command>, resolve: (a: Answer<Event>) => void): void {
    const { lineage, revision } = this.#writer.head;
    const { commandId, actor } = request;
    const { rules } = this.options;
    const now = this.#now();
    const context = { now, actor, commandId, lineage: lineage!, revision };
    let decided: Result<readonly Event[]>;
    let after: State | undefined;
    try {
      if (rules.decider.decideAndEvolve === undefined) {
        decided = rules.decider.decide(this.#state, request.command, context);
      } else {
        const both = rules.decider.decideAndEvolve(this.#state, request.command, context);
        decided = both.ok ? ok(both.value.events) : both;
        if (both.ok) after = both.value.state;
      }
    } catch (cause) {
      this.options.onFault(cause);
      const fault = problem('internal', `the command can't be decided: ${String(cause)}`);
      this.#answer(commandId, resolve, err(fault));
      return;
    }
    if (decided.ok && decided.value.length > 0) {
      this.#commit(request, decided.value, resolve, now, after);
      return;
    }
    // Rests on commits under way, so it waits for them: else it could tell of a state that never came to be.
    const accepted = { at: now, seq: 0, lineage: lineage!, revision };
    const known = decided.ok ? accepted : { ...accepted, rejection: decided.error };
    this.#pipeline.push(undefined, { kind: 'answer', commandId, known, resolve });
  }

  #commit(
    meta: CommandMeta,
    events: readonly Event[],
    resolve: (a: Answer<Event>) => void,
    now: number,
    evolved: State | undefined,
    log?: LogEvent,
  ): void {
    const { codec } = this.options.rules;
    const { commandId } = meta;
    const before = this.#state;
    let after: State;
    let written: Result<Written>;
    try {
      after = evolved ?? this.#evolve(before, events, now, log);
      const wires = events.map((event) => codec.toWire(event));
      if (log !== undefined) wires.unshift(logEvent(log));
      written = this.#writer.write(meta, wires, now, log);
    } catch (cause) {
      this.options.onFault(cause);
      const fault = problem('internal', `the command can't be carried out: ${String(cause)}`);
      this.#answer(commandId, resolve, err(fault));
      return;
    }
    if (!written.ok) {
      this.#answer(commandId, resolve, written);
      return;
    }
    this.#state = after;
    const { placed, head, envelope } = written.value;
    const last = placed.length - 1;
    // Chunks are answered for by their commit.
    for (let i = 0; i < last; i++) this.#pipeline.push(placed[i], undefined);
    const waiting = { kind: 'commit', commandId, envelope, events, before, after, head, resolve } as const;
    this.#pipeline.push(placed[last], waiting);
  }

  #evolve(state: State, events: readonly Event[], time: number, log?: LogEvent): State {
    const { lineage, revision } = this.#writer.head;
    const place =
      log?.type === 'LineageOpened'
        ? { lineage: log.data.lineage, revision: 1 as Revision, time }
        : { lineage: lineage as Lineage, revision: (revision + 1) as Revision, time };
    return evolveAll(this.options.rules.decider, state, events, place);
  }

  #onStored(waiting: Waiting<State, Event>): void {
    if (waiting === undefined) return;
    const { commandId, resolve } = waiting;
    if (waiting.kind === 'answer') {
      const { lineage, revision, rejection } = waiting.known;
      // What may go well later is no answer for good: asked again, it is decided again.
      if (rejection?.retry !== true) this.#commands.remember(commandId, waiting.known);
      const accepted = { lineage, revision, events: [], repeated: false };
      this.#answer(commandId, resolve, rejection === undefined ? ok(accepted) : err(rejection));
      return;
    }
    const { envelope, events, head, before, after } = waiting;
    const { lineage, revision } = envelope;
    this.#settledState = after;
    this.#settledHead = head;
    this.#commands.remember(commandId, { at: head.time, seq: head.seq, lineage, revision });
    if (this.#listeners.size > 0) this.#tell(toCommit(envelope, head.hash, events), before, after);
    this.#answer(commandId, resolve, ok({ lineage, revision, events, repeated: false }));
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

  async #answerAgain(known: KnownCommand): Promise<Answer<Event>> {
    if (known.rejection !== undefined) return err(known.rejection);
    const { lineage, revision, seq } = known;
    if (seq === 0) return ok({ lineage, revision, events: [], repeated: true });
    try {
      const events = await readEventsAt(this.options.log, seq, this.options.rules);
      return events.ok ? ok({ lineage, revision, events: events.value, repeated: true }) : events;
    } catch (cause) {
      // The log can't be asked now; the command was done, and asking again will tell.
      if (cause instanceof ProblemError) return err(cause.problem);
      throw cause;
    }
  }

  #onEnd(reason: EndReason, fault: Problem): void {
    this.#why = fault;
    this.options.onEnd?.(reason, fault);
    this.#resolveEnded(fault);
  }
}

function asRepeated<Event>(answer: Answer<Event>): Answer<Event> {
  return answer.ok ? ok({ ...answer.value, repeated: true }) : answer;
}

const META_TEXTS = ['correlationId', 'causationId', 'reason', 'subject'] as const;

function checkMeta(meta: CommandMeta): Problem | undefined {
  if (typeof meta.commandId !== 'string' || !COMMAND_ID.test(meta.commandId))
    return invalid('commandId', meta.commandId, 'is not an id', '1 to 128 letters, digits and _ . : / -');
  if (typeof meta.actor !== 'string' || meta.actor === '' || meta.actor.length > 256)
    return invalid(
      'actor',
      meta.actor,
      'is missing or too long',
      'who gives the command, 1 to 256 characters',
    );
  for (const name of META_TEXTS) {
    const value: unknown = meta[name];
    if (value !== undefined && (typeof value !== 'string' || value === '' || value.length > 1024))
      return invalid(name, value, 'is not a text', '1 to 1024 characters, or leave it out');
  }
  return undefined;
}
