import { guestObstacle, libvirtObstacle } from '../../../lab/setup.js';
import { type Bench, type Figure } from '../../support/figure.js';
import { withLab } from '../../support/with-lab.js';
import { FAR, HOSTS } from '../guests.js';
import { MOVES } from '../moves.js';
import { figuresOf, pausesTold, type Tried } from './figures.js';
import { withOurLibvirt } from './our-libvirt.js';
import { withOurQemu } from './our-qemu.js';
import { withOvnQemu } from './ovn-qemu.js';
import { type OurRig, type Rig } from './rig.js';
import { trial, type Seen } from './trial.js';

type Say = (line: string) => void;

const hosts = [...HOSTS, FAR];

/** Guests with a kernel of their own, under TCG, that go to and fro by Portolan's order, and beside OVN. */
export const ofQemu = unless(guestObstacle, (say) =>
  withLab({ hosts }, (lab) =>
    withLab({ hosts }, (theirs) =>
      withOvnQemu(theirs, (ovn) =>
        withOurQemu(lab, say, async (ours) => [
          ...(await measure('QMP', ours, [ovn], say)),
          ...(await ours.agentsKilled()),
        ]),
      ),
    ),
  ),
);

/** The same, of libvirt: it plugs the destination early. */
export const ofLibvirt = unless(libvirtObstacle, (say) =>
  withLab({ hosts }, (lab) => withOurLibvirt(lab, say, (ours) => measure('libvirt', ours, [], say))),
);

function unless(obstacle: () => string | undefined, bench: Bench): Bench {
  return (say) => {
    const why = obstacle();
    if (why === undefined) return bench(say);
    say(`left out: ${why}`);
    return Promise.resolve([]);
  };
}

async function measure(
  what: string,
  ours: OurRig,
  others: readonly Rig[],
  say: Say,
): Promise<readonly Figure[]> {
  const tried = [ours, ...others].flatMap((rig) =>
    rig.ways.map((way) => ({ rig, way, seen: [] as Seen[], errors: [] as number[], lost: [] as number[] })),
  );
  for (let n = 0; n < MOVES; n++) {
    say(`real guests (${what}), move ${n + 1} of ${MOVES}`);
    for (const { rig, way, seen, errors, lost } of n % 2 === 0 ? tried : [...tried].reverse()) {
      seen.push(await trial(way));
      if (rig !== ours) continue;
      errors.push(await ours.ledgerError());
      lost.push(await ours.lost());
    }
  }
  const ways = tried.map(({ rig, way: { name }, ...what }): Tried => ({
    name,
    side: rig.name,
    ...what,
  }));
  return [...ways.flatMap(figuresOf), pausesTold(what, await ours.pauses())];
}
