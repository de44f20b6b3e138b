import { concurrentMoves } from '../scale/concurrent.js';
import { needing, type Bench, type Figure } from '../support/figure.js';
import { spread } from '../support/stats.js';
import { asked } from '../support/steps.js';
import { withLab } from '../support/with-lab.js';
import { figuresOf, phasesOf } from './figures.js';
import { FAR, HOSTS } from './guests.js';
import { type OurRig, withOurRig } from './our-rig.js';
import { MOVES } from './moves.js';
import { type OvnRig, withOvnRig } from './ovn-rig.js';
import { ofLibvirt, ofQemu } from './real/bench.js';
import { type Seen, trial } from './trial.js';

/** A guest moves to and fro and speaks with another host's all the while, on ours and on OVN, turn about. */
const network = needing('ovn', async (say) => {
  const hosts = [...HOSTS, FAR];
  return withLab({ hosts }, (lab) =>
    withLab({ hosts }, (theirs) =>
      withOvnRig(theirs, (ovn) => withOurRig(lab, say, (ours) => measure(ours, ovn, say))),
    ),
  );
});

const PARTS = {
  network,
  qemu: needing('ovn', ofQemu),
  libvirt: needing('lab', ofLibvirt),
  hosts: concurrentMoves,
};

/**
 * What a network loses of a guest that moves; what comes on top of the own pause of one with a kernel of its own, moved
 * by order; a hundred moves at once. Parts that fail are figures that say so.
 */
export const migration: Bench = async (say) => {
  const figures: Figure[] = [];
  for (const part of asked(['network', 'qemu', 'libvirt', 'hosts'])) {
    try {
      figures.push(...(await PARTS[part](say)));
    } catch (cause) {
      const failed = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      figures.push({ bench: 'migration', what: part, unit: '', spread: spread([]), failed });
    }
  }
  return figures;
};

async function measure(ours: OurRig, ovn: OvnRig, say: (line: string) => void): Promise<readonly Figure[]> {
  const tried = [ours, ovn].flatMap((rig) =>
    rig.ways.map((way) => ({ rig, way, seen: [] as Seen[], errors: [] as number[] })),
  );
  for (let n = 0; n < MOVES; n++) {
    say(`move ${n + 1} of ${MOVES}`);
    for (const { rig, way, seen, errors } of n % 2 === 0 ? tried : [...tried].reverse()) {
      seen.push(await trial(rig.guests, way));
      if (rig === ours) errors.push(await ours.ledgerError());
    }
  }
  const moves = figuresOf(
    tried.map(({ rig, way: { name }, seen, errors }) => ({ name, side: rig.name, seen, errors })),
  );
  return [...moves, ...phasesOf(await ours.migrations())];
}
