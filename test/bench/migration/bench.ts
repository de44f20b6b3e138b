import { needing, type Figure } from '../support/figure.js';
import { SHORT } from '../support/short.js';
import { withLab } from '../support/with-lab.js';
import { figuresOf, phasesOf } from './figures.js';
import { FAR, HOSTS } from './guests.js';
import { type OurRig, withOurRig } from './our-rig.js';
import { type OvnRig, withOvnRig } from './ovn-rig.js';
import { type Seen, trial } from './trial.js';

const MOVES = SHORT ? 3 : 15;

/** A guest moves to and fro and speaks with another host's all the while, on ours and on OVN, turn about. */
export const migration = needing('ovn', async (say) => {
  const hosts = [...HOSTS, FAR];
  return withLab({ hosts }, (lab) =>
    withLab({ hosts }, (theirs) =>
      withOvnRig(theirs, (ovn) => withOurRig(lab, say, (ours) => measure(ours, ovn, say))),
    ),
  );
});

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
