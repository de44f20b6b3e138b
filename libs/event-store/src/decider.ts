import { type Lineage, type Result, type Revision } from '#kernel';
import { type WireEvent } from './envelope.js';

/** What `decide` may know besides state and command. Everything that isn't pure comes in here. */
export interface DecideContext {
  /** Milliseconds since the epoch; never less than that of an earlier commit. */
  readonly now: number;
  readonly actor: string;
  readonly commandId: string;
  readonly lineage: Lineage;
  /** Revision of the state decided on. */
  readonly revision: Revision;
}

/** Of the commit that an event stands in: the same live and in replay. */
export interface EventMeta {
  readonly lineage: Lineage;
  readonly revision: Revision;
  /** Milliseconds since the epoch: the commit's time. */
  readonly time: number;
}

/**
 * Rules as pure functions. `evolve` must not change its argument: states are shared between the sequencer, its
 * followers and listeners.
 */
export interface Decider<State, Command, Event> {
  readonly initial: State;
  /** Events to commit, in order; an empty list accepts without a commit; a problem rejects. */
  decide(state: State, command: Command, context: DecideContext): Result<readonly Event[]>;
  evolve(state: State, event: Event, meta: EventMeta): State;
  /**
   * `decide`, and the state after it, where deciding has made that state already. It must be the one that `evolve`
   * makes of the events in the commit that the context names, at `revision + 1`.
   */
  decideAndEvolve?(state: State, command: Command, context: DecideContext): Result<Decided<State, Event>>;
  /** What is to be said in the commit that opens another history behind an older copy of this one. */
  reopen?(state: State, lineage: Lineage): readonly Event[];
  /** For reading in bulk. Both, or none. */
  readonly bulk?: Bulk<State>;
}

/** What a decision comes to: without events `state` is that which was decided on. */
export interface Decided<State, Event> {
  readonly events: readonly Event[];
  readonly state: State;
}

/**
 * A state of one owner, which `evolve` may then change in place. What was given to `thaw` stays as it is; what was
 * given to `freeze` must not be used any more. Both take no time to speak of, whatever the size of the state.
 */
export interface Bulk<State> {
  thaw(state: State): State;
  freeze(state: State): State;
}

/**
 * Between events of the code and events of the log. `fromWire` gets the newest version, as upcasting came before, and
 * may make the event of the very object that it gets as `data`.
 */
export interface EventCodec<Event> {
  toWire(event: Event): WireEvent;
  fromWire(event: WireEvent): Result<Event>;
}

/** Between a state and JSON, for snapshots and digests. Equal states must give equal JSON. */
export interface StateCodec<State> {
  toJson(state: State): unknown;
  fromJson(json: unknown): Result<State>;
}

/** Who asks, under which id, and why. The same `commandId` always gets the same answer. */
export interface CommandMeta {
  readonly commandId: string;
  readonly actor: string;
  /** Default: the command's id. */
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly reason?: string;
  /** CloudEvents subject of the commit; default `cluster`. */
  readonly subject?: string;
}

export interface CommandRequest<Command> extends CommandMeta {
  readonly command: Command;
}

/** The answer to an accepted command. Without events there was no commit, and `revision` is the current one. */
export interface Accepted<Event> {
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly events: readonly Event[];
  /** True when the command had been answered before. */
  readonly repeated: boolean;
}

/** A commit as readers see it: decoded and upcast, in effect. */
export interface Commit<Event> {
  readonly id: string;
  readonly lineage: Lineage;
  readonly revision: Revision;
  /** RFC 3339. */
  readonly time: string;
  readonly subject: string;
  readonly actor: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly reason?: string;
  /** Hash of the stored bytes. */
  readonly hash: string;
  /** Events of the domain; those of the log itself (see log-events.ts) are not among them. */
  readonly events: readonly Event[];
}

/** Called after a commit took effect. An exception is reported to the owner of the reader, never swallowed. */
export type CommitListener<State, Event> = (commit: Commit<Event>, before: State, after: State) => void;
