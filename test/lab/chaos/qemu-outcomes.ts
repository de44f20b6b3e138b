import { BEFORE, lost, moved, rowOf, stayed, type Outcome, type Scene } from './outcomes.js';

const moments = {
  ...BEFORE,
  plugged: {
    means: 'moving: the source has its order, the guest’s tap is plugged at the destination',
    held: 'no QEMU listens there',
  },
  copying: { means: 'moving: memory is copied', held: 'at a bandwidth with which that never ends' },
  arrived: {
    means: 'the guest runs at the destination; nobody has said so to the log',
    held: 'both agents are stopped, and the source’s switch has read all that the guest sent',
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
export type QemuMoment = keyof typeof moments;

const victims = {
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

const row = rowOf(moments);
const atSource: Outcome = { ...moved, inexact: ['source'] };
const atDestination: Outcome = { ...moved, inexact: ['destination'] };

/** A guest in a plain QEMU. */
export const QEMU: Scene<QemuMoment, keyof typeof victims> = {
  moments,
  victims,
  outcomes: {
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
      plugged: { ...lost('failed'), or: 'aborted' },
      copying: lost('aborted'),
    }),
    'qemu@destination': row(lost('completed'), {
      admitted: null,
      prepared: null,
      plugged: null,
      copying: stayed,
    }),
  },
};
