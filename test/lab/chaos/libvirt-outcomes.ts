import { BEFORE, lost, moved, rowOf, stayed, type Scene } from './outcomes.js';

const moments = {
  ...BEFORE,
  copying: { means: 'moving: memory is copied', held: 'at 1 MiB/s' },
  finishing: {
    means: 'moving: all of it was copied; the guest stands still, and runs nowhere',
    held: 'the destination’s libvirtd is stopped before it is asked to let the guest run',
  },
  arrived: {
    means: 'the guest runs at the destination and has left the source; nobody has said so to the log',
    held: 'both agents are stopped',
  },
  switched: {
    means: 'the destination has said so; the source has not said a word',
    held: 'the source’s agent is stopped',
  },
} as const;
export type LibvirtMoment = keyof typeof moments;

const victims = {
  'agent@source': 'the source’s agent',
  'agent@destination': 'the destination’s agent',
  'libvirtd@source': 'the source’s libvirtd',
  'libvirtd@destination': 'the destination’s libvirtd',
  'qemu@source': 'the source’s QEMU',
  'qemu@destination': 'the destination’s QEMU',
} as const;

const row = rowOf(moments);

/** A guest of libvirt, moved from libvirtd to libvirtd. */
export const LIBVIRT: Scene<LibvirtMoment, keyof typeof victims> = {
  moments,
  victims,
  outcomes: {
    'agent@source': row(moved),
    'agent@destination': row(moved),
    'libvirtd@source': row(moved, { copying: { ...stayed, or: 'aborted' }, finishing: null }),
    'libvirtd@destination': row(moved, { copying: stayed, finishing: stayed }),
    'qemu@source': row(lost('failed'), {
      copying: lost('aborted'),
      finishing: null,
      arrived: null,
      switched: null,
    }),
    'qemu@destination': row(lost('completed'), {
      admitted: null,
      prepared: null,
      copying: stayed,
      finishing: null,
    }),
  },
};
