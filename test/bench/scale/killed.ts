import { type MigrationView } from '#contracts/http';
import { type Figure } from '../support/figure.js';
import { at } from '../support/phases.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { type Moves } from './moving.js';
import { leaderOf, MANAGERS } from './steps-faults.js';
import { type ScaleWorld } from './world.js';

const TIMES = SHORT ? 1 : 5;
/** Moves that are under way all the while. */
const WINDOW = SHORT ? 3 : 10;
/** A move that takes longer is told phase by phase. */
const LONG_MS = 10_000;
const SERVICES = ['switch-manager', 'migration-coordinator', 'operator-api', 'nats-server'] as const;
type Service = (typeof SERVICES)[number];

/** Each service killed (SIGKILL) while guests move, and started again at once: until a move asked for since is prepared. */
export async function killed(world: ScaleWorld, moves: Moves): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const service of SERVICES) {
    const prepared: number[] = [];
    const completed: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      const busy = traffic(moves);
      const died = await kill(world, service);
      const view = await moves.one();
      prepared.push(at(view, 'prepared') - died);
      completed.push(at(view, 'completed') - died);
      if (at(view, 'completed') - died > LONG_MS) world.say(`${service} killed: ${story(view, died)}`);
      await busy.end();
    }
    world.say(`${service} killed: ${prepared.join(', ')} ms until a move is prepared`);
    figures.push({
      bench: 'migration',
      what: `${service} killed while ${WINDOW} guests move: until one asked for since is prepared`,
      unit: 'ms',
      spread: spread(prepared),
      detail: { completedMs: spread(completed), hosts: world.up },
    });
  }
  return figures;
}

/** When each of its phases began, after the kill. */
const story = ({ id, history }: MigrationView, died: number): string =>
  `${id}: ${history.map((h) => `${h.phase} ${Date.parse(h.at) - died} ms`).join(', ')}`;

/** So many moves under way until it is told to end; all of them come to their end. */
function traffic(moves: Moves): { readonly end: () => Promise<void> } {
  let isOver = false;
  const one = async (): Promise<void> => {
    while (!isOver) await moves.one();
  };
  const all = Promise.all(Array.from({ length: WINDOW }, one));
  all.catch(() => undefined);
  return {
    end: async () => {
      isOver = true;
      await all;
    },
  };
}

/** Kills it and starts it again at once, as what runs services does. When it died, by the wall clock. */
async function kill(world: ScaleWorld, service: Service): Promise<number> {
  const { cluster } = world.it;
  const name = service === 'switch-manager' ? await leaderOf(world) : service;
  const died = Date.now();
  await cluster.children.kill(name);
  switch (service) {
    case 'switch-manager':
      await cluster.startManager(MANAGERS.findIndex((m) => m === name) + 1);
      break;
    case 'migration-coordinator':
      await cluster.startCoordinator();
      break;
    case 'operator-api':
      await cluster.startApi();
      break;
    case 'nats-server':
      await cluster.startNats();
      break;
  }
  return died;
}
