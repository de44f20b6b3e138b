import { type Migration, type MigrationPhase } from '../model/state.js';

/**
 * What can happen to a running migration.
 *
 * - `some-frame`, `last-frame`: a port activated at the destination; others still to come, or it was the last.
 * - `started`, `completed`, `failed`, `unknown`: the hypervisor's word (`failed` also stands for its `aborted`).
 * - `abort`: the operator's command; `timeout`: the deadline of the phase passed.
 * - `source-gone`: the interface left the source before its port activated at the destination.
 * - `destination-gone`: the interface left the destination while it was standby.
 * - `nowhere`: every interface left the source, and the destination while it was standby.
 * - `arrived`: some of its ports are active at the destination, and nothing of the others is left at the source.
 */
export const INPUTS = [
  'some-frame',
  'last-frame',
  'started',
  'completed',
  'failed',
  'unknown',
  'abort',
  'timeout',
  'source-gone',
  'destination-gone',
  'nowhere',
  'arrived',
] as const;
export type Input = (typeof INPUTS)[number];

/**
 * - `stay`: taken in, nothing moves. `go`: to a phase.
 * - `activate`: ports not yet active at the destination become so on somebody's word, then *switched*.
 * - `activate-one`: the same for the one port that the input is about.
 * - `back`: undo. Standbys are revoked; ports already active at the destination are bound to the source again, at
 *   the next epoch, so that everything said at the destination's is fenced. Then the phase given.
 * - `late`: `back` as long as the source still holds all that had activated; after that the input is refused.
 * - `refuse`: not in this phase.
 */
export type Reaction =
  | { readonly do: 'stay' | 'activate' | 'activate-one' }
  | { readonly do: 'go'; readonly to: MigrationPhase }
  | { readonly do: 'back' | 'late'; readonly to: 'aborted' | 'failed' }
  | { readonly do: 'refuse'; readonly reason: string };

const stay: Reaction = { do: 'stay' };
const activate: Reaction = { do: 'activate' };
const activateOne: Reaction = { do: 'activate-one' };
const go = (to: MigrationPhase): Reaction => ({ do: 'go', to });
const back = (to: 'aborted' | 'failed'): Reaction => ({ do: 'back', to });
const late = (to: 'aborted' | 'failed'): Reaction => ({ do: 'late', to });
const refuse = (reason: string): Reaction => ({ do: 'refuse', reason });

const notOurs = refuse('is driven by somebody else: abort it where it was started');
const isThere = refuse('has switched: the guest runs at the destination; migrate it back instead');
const noDeadline = refuse('has no deadline in this phase');
const ended = refuse('has ended');

/** One outcome, or two: when we drive the hypervisor, and when somebody else does. */
type Cell = Reaction | { readonly operator: Reaction; readonly observed: Reaction };
const by = (operator: Reaction, observed: Reaction): Cell => ({ operator, observed });

type Row = Readonly<Record<Input, Cell>>;

const beforeMoving: Row = {
  'some-frame': go('moving'),
  'last-frame': go('switched'),
  started: go('moving'),
  completed: activate,
  failed: back('failed'),
  unknown: go('unknown'),
  abort: by(back('aborted'), notOurs),
  timeout: by(back('failed'), go('unknown')),
  'source-gone': by(back('failed'), activateOne),
  'destination-gone': by(stay, back('aborted')),
  nowhere: back('failed'),
  arrived: stay,
};

const over: Row = {
  'some-frame': ended,
  'last-frame': ended,
  started: ended,
  completed: ended,
  failed: ended,
  unknown: ended,
  abort: ended,
  timeout: ended,
  'source-gone': stay,
  'destination-gone': stay,
  nowhere: stay,
  arrived: stay,
};

/**
 * The whole machine. "A / B": A when we drive the hypervisor, B when somebody else does. Not in here: the
 * coordinator's proposals (`PROPOSALS`), and *switched* → *completed*, which happens by itself when the source has
 * handed in its counters and (when we drive) the hypervisor said `completed`.
 *
 * | phase    | some-frame | last-frame | started | completed | failed | unknown | abort | timeout | source-gone | destination-gone | nowhere | arrived |
 * | -------- | ---------- | ---------- | ------- | --------- | ------ | ------- | ----- | ------- | ----------- | ---------------- | ------- | ------- |
 * | admitted | moving | switched | moving | activate | back: failed | unknown | back: aborted / refuse | back: failed / unknown | back: failed / activate-one | stay / back: aborted | back: failed | stay |
 * | prepared | as admitted | | | | | | | | | | | |
 * | moving   | stay | switched | stay | activate | back: failed | unknown | aborting / refuse | aborting / unknown | stay / activate-one | stay / back: aborted | back: aborted | stay |
 * | switched | stay | stay | stay | stay | late: failed | stay | refuse | completed | stay | stay | stay | stay |
 * | aborting | stay | stay | stay | activate | back: aborted | unknown | stay | unknown | stay | back: aborted | back: aborted | stay |
 * | unknown  | stay | switched | moving | activate | back: failed | stay | back: aborted | refuse | stay / activate-one | back: aborted | back: aborted | activate |
 * | completed, aborted, failed | refuse | refuse | refuse | refuse | refuse | refuse | refuse | refuse | stay | stay | stay | stay |
 *
 * What is read in *unknown* has often come before it: whether the guest's interfaces left the destination is kept
 * (`plugged`), and looked at again when a migration becomes *unknown*. An interface that is back is there again.
 * So is whether the guest has `arrived`: a host that lost its power after the guest had left can't say that it did, and
 * an interface that never sends would be waited for without end.
 *
 * Why *aborting* only waits: the guest may be switching at this moment, and only the hypervisor knows on which side
 * it ends up. Why `abort` in *unknown* undoes at once: there it is the operator's word that the guest is not at the
 * destination, which nobody else could give.
 */
export const TABLE: Readonly<Record<MigrationPhase, Row>> = {
  admitted: beforeMoving,
  prepared: beforeMoving,
  moving: {
    'some-frame': stay,
    'last-frame': go('switched'),
    started: stay,
    completed: activate,
    failed: back('failed'),
    unknown: go('unknown'),
    abort: by(go('aborting'), notOurs),
    timeout: by(go('aborting'), go('unknown')),
    'source-gone': by(stay, activateOne),
    'destination-gone': by(stay, back('aborted')),
    nowhere: back('aborted'),
    arrived: stay,
  },
  switched: {
    'some-frame': stay,
    'last-frame': stay,
    started: stay,
    completed: stay,
    failed: late('failed'),
    unknown: stay,
    abort: isThere,
    timeout: go('completed'),
    'source-gone': stay,
    'destination-gone': stay,
    nowhere: stay,
    arrived: stay,
  },
  aborting: {
    'some-frame': stay,
    'last-frame': stay,
    started: stay,
    completed: activate,
    failed: back('aborted'),
    unknown: go('unknown'),
    abort: stay,
    timeout: go('unknown'),
    'source-gone': stay,
    'destination-gone': back('aborted'),
    nowhere: back('aborted'),
    arrived: stay,
  },
  unknown: {
    'some-frame': stay,
    'last-frame': go('switched'),
    started: go('moving'),
    completed: activate,
    failed: back('failed'),
    unknown: stay,
    abort: back('aborted'),
    timeout: noDeadline,
    'source-gone': by(stay, activateOne),
    'destination-gone': back('aborted'),
    nowhere: back('aborted'),
    arrived: activate,
  },
  completed: over,
  aborted: over,
  failed: over,
};

export function reactionTo(migration: Pick<Migration, 'phase' | 'origin'>, input: Input): Reaction {
  const cell = TABLE[migration.phase][input];
  return 'do' in cell ? cell : cell[migration.origin];
}

/** What the coordinator may propose from each phase; conditions are checked where it is decided. */
export const PROPOSALS: Readonly<Record<MigrationPhase, readonly MigrationPhase[]>> = {
  admitted: ['prepared'],
  prepared: ['moving'],
  moving: ['switched', 'unknown'],
  switched: ['completed'],
  aborting: ['aborted', 'unknown'],
  unknown: ['moving', 'aborting'],
  completed: [],
  aborted: [],
  failed: [],
};
