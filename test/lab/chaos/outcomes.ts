/**
 * Moments of a migration at which something is killed, in order. Between them nothing happens by itself: each is held
 * (see `held`) until whatever was to be done has been done.
 */
export const MOMENTS = {
  admitted: {
    means: 'asked for; the policy does not stand at the destination yet',
    held: 'the destination’s agent is stopped',
  },
  prepared: {
    means: 'the policy stands on both sides; nobody was told to move the guest',
    held: 'the coordinator is stopped when it has made half of its proposals',
  },
  plugged: {
    means: 'moving: the source has its order, the guest’s tap is plugged at the destination',
    held: 'no QEMU listens there',
  },
  copying: { means: 'moving: memory is copied', held: 'at a bandwidth with which that never ends' },
  arrived: {
    means: 'the guest runs at the destination; nobody has said so to the log',
    held: 'both agents are stopped',
  },
  switched: {
    means: 'the destination has said so; the source has not said a word',
    held: 'the source’s agent is stopped',
  },
  counting: {
    means: 'QEMU’s word at the source is in the log, the final counters are not',
    held: 'the source’s ovs-vswitchd is stopped',
  },
} as const;
export type Moment = keyof typeof MOMENTS;
export const moments = Object.keys(MOMENTS) as readonly Moment[];

/** Who is killed; after the `@`, at which end of the migration. */
export const VICTIMS = {
  manager: 'the switch-manager that leads',
  coordinator: 'the migration-coordinator',
  nats: 'nats-server',
  'agent@source': 'the source’s agent',
  'agent@destination': 'the destination’s agent',
  'vswitchd@source': 'the source’s ovs-vswitchd',
  'vswitchd@destination': 'the destination’s ovs-vswitchd',
  'ovsdb@source': 'the source’s ovsdb-server',
  'ovsdb@destination': 'the destination’s ovsdb-server',
  'qemu@source': 'the source’s QEMU',
  'qemu@destination': 'the destination’s QEMU',
} as const;
export type Victim = keyof typeof VICTIMS;
export const victims = Object.keys(VICTIMS) as readonly Victim[];

export interface Outcome {
  readonly ends: 'completed' | 'aborted' | 'failed';
  readonly guest: 'moved' | 'stayed' | 'lost';
  /** Ends of the migration at which a segment of the guest's ledger may not be exact, and says so. */
  readonly inexact?: readonly ('source' | 'destination')[];
  /** It ends only by the operator's word that the guest is not at the destination. */
  readonly word?: true;
}

const moved: Outcome = { ends: 'completed', guest: 'moved' };
const row = (each: Outcome, but: Partial<Record<Moment, Outcome | null>> = {}) =>
  Object.fromEntries(moments.map((m) => [m, but[m] === undefined ? each : but[m]])) as Readonly<
    Record<Moment, Outcome | null>
  >;
const atSource: Outcome = { ...moved, inexact: ['source'] };
const atDestination: Outcome = { ...moved, inexact: ['destination'] };
const lost = (ends: Outcome['ends']): Outcome => ({ ends, guest: 'lost' });
const stayed: Outcome = { ends: 'failed', guest: 'stayed' };

/** What comes of it; null: at that moment there is none. The page and the tests are made of this table. */
export const OUTCOMES: Readonly<Record<Victim, Readonly<Record<Moment, Outcome | null>>>> = {
  manager: row(moved),
  coordinator: row(moved),
  nats: row(moved),
  'agent@source': row(moved),
  'agent@destination': row(moved),
  'vswitchd@source': row(atSource),
  'vswitchd@destination': row(atDestination),
  'ovsdb@source': row(moved),
  'ovsdb@destination': row(moved),
  'qemu@source': row(moved, {
    admitted: lost('failed'),
    prepared: lost('failed'),
    plugged: lost('failed'),
    copying: lost('aborted'),
  }),
  'qemu@destination': row(lost('completed'), {
    admitted: null,
    prepared: null,
    plugged: null,
    copying: stayed,
  }),
};
