import { expect } from '@jest/globals';
import { until } from '../process/cluster.fixture.js';
import { auditLoad, auditState } from './support/audit.js';
import { Load } from './support/load.js';
import { type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';

const ASLEEP_MS = 10_000;

/** The leader is stopped with appends under way, and woken when another has led for long. */
export const leaderAsleep: Scenario = {
  name: 'a leader asleep for 10 s in mid-append: refused when it wakes, it steps down, and the log has one history',
  short: false,
  play: async (world) => {
    const sleeper = await world.leader();
    const seen = new Seen(world, 'leader-asleep');
    const load = new Load(world.cluster.api, 'asleep', 8);
    await load.more(40);
    const said = (await world.logOf(sleeper)).length;
    await until('commands under way', () => Promise.resolve(load.inFlight >= 4));
    await seen.from('switch-manager-1', 'switch-manager-2');
    world.cluster.children.signal(sleeper, 'SIGSTOP');
    const stopped = performance.now();
    try {
      await until('the other to lead', async () => {
        const { leader } = await world.api.status();
        return leader !== null && `switch-${leader}` !== sleeper;
      });
      await load.more(40);
      await seen.at('while it sleeps', 'status');
      // The sleep is the fault itself: it lasts what it lasts.
      await new Promise((resolve) => setTimeout(resolve, stopped + ASLEEP_MS - performance.now()));
    } finally {
      world.cluster.children.signal(sleeper, 'SIGCONT');
    }
    await until('the sleeper to step down', async () =>
      (await world.logOf(sleeper)).slice(said).includes('no longer leads'),
    );
    await until('the sleeper to have been refused', async () =>
      /wrong-last-sequence|has taken over/.test((await world.logOf(sleeper)).slice(said)),
    );
    await load.more(40);
    await load.stop();
    await seen.at('woken', 'status');
    for (const name of ['switch-manager-1', 'switch-manager-2']) await seen.log(name);
    await auditLoad(world, load);
    await auditState(world);
    expect(world.deaths).toEqual([]);
  },
};
