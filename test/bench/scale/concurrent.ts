import { type MigrationView } from '#contracts/http';
import { type Figure } from '../support/figure.js';
import { at } from '../support/phases.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { buildUp, withWorld } from './bench.js';
import { killed } from './killed.js';
import { Moves } from './moving.js';
import { miscounted } from './steps-moves.js';

const SIZE = { hosts: SHORT ? 10 : 50, ports: SHORT ? 200 : 1_000, groups: SHORT ? 20 : 100 };
const AT_ONCE = SHORT ? 10 : 100;
const ROUNDS = SHORT ? 1 : 3;
const ONE_BY_ONE = SHORT ? 5 : 30;
const BENCH = 'migration';

/**
 * What a move costs in the control plane: one after the other, and a hundred at once over fifty hosts; and for how long
 * moves wait for a service that was killed. Hosts are simulated, services and agents are the production ones.
 */
export const concurrentMoves = (say: (line: string) => void): Promise<Figure[]> =>
  withWorld({ size: SIZE, processes: 2 }, say, async (world) => {
    await buildUp(world, SIZE.hosts);
    const moved = new Moves(world);
    try {
      await moved.run(AT_ONCE, 10);
      const alone = await moved.run(ONE_BY_ONE, 1);
      const many: MigrationView[] = [];
      for (let i = 0; i < ROUNDS; i++) many.push(...(await moved.run(AT_ONCE, AT_ONCE)));
      const wrong = await miscounted(world, moved.owners);
      return [
        ...own('one move at a time', alone),
        ...own(`${AT_ONCE} moves at once over ${SIZE.hosts} hosts`, many),
        ...(await killed(world, moved)),
        ledgers(moved.owners, wrong),
      ];
    } finally {
      moved.stop();
    }
  });

/** From the request to the policy in place at both ends; from the switch to everything handed in. */
function own(what: string, views: readonly MigrationView[]): Figure[] {
  const between = (from: string, to: string) => spread(views.map((v) => at(v, to) - at(v, from)));
  const figure = (which: string, it: Figure['spread']): Figure => ({
    bench: BENCH,
    what: `${what}: ${which}`,
    unit: 'ms',
    spread: it,
  });
  return [
    figure('request to prepared', between('admitted', 'prepared')),
    figure('switched to completed', between('switched', 'completed')),
  ];
}

const ledgers = (owners: readonly string[], wrong: readonly string[]): Figure => ({
  bench: BENCH,
  what: `ledgers of ${owners.length} guests that moved: those that are not what was sent`,
  unit: '',
  spread: spread([wrong.length]),
  target: { text: '0', met: wrong.length === 0 },
  ...(wrong.length === 0 ? {} : { detail: { first: wrong.slice(0, 3) } }),
});
