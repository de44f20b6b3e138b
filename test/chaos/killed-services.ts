import { expect } from '@jest/globals';
import { ApiError } from '../../deploy/quickstart/api.js';
import { until, type World } from '../process/cluster.fixture.js';
import { auditLoad, auditState } from './support/audit.js';
import { Load } from './support/load.js';
import { auditMoves, Mover } from './support/mover.js';
import { sized, type Scenario } from './support/scenario.js';
import { auditLedger } from './support/ledger.js';

type Victim = 'leader' | 'standby' | 'coordinator' | 'api' | 'agent' | 'nats';

const ROUNDS: readonly (readonly Victim[])[] = sized<readonly (readonly Victim[])[]>(
  [['leader'], ['api', 'coordinator'], ['nats']],
  [
    ['leader'],
    ['standby'],
    ['coordinator'],
    ['api'],
    ['agent'],
    ['nats'],
    ['leader', 'coordinator'],
    ['leader', 'nats'],
    ['leader', 'standby'],
    ['nats', 'api', 'agent'],
    ['leader', 'standby', 'coordinator', 'api', 'nats'],
  ],
);

/** Every service is killed, alone and together, under a load of commands and migrations. */
export const killedServices: Scenario = {
  name: 'services killed under load: no acknowledged command lost, none done twice, migrations end, ledgers agree',
  short: true,
  play: async (world) => {
    const load = new Load(world.cluster.api, 'killed', 4);
    const mover = new Mover(world, 'web-1', ['alpha', 'bravo'], 'killed-move');
    for (const round of ROUNDS) {
      await load.more(10);
      const back: (() => Promise<void>)[] = [];
      for (const victim of round) back.push(await kill(world, victim));
      for (const start of back) await start();
      await until('the API to answer', () => world.api.status());
      await load.more(10);
    }
    await mover.stop();
    await load.stop();
    const log = await auditLoad(world, load);
    auditMoves(log, mover);
    expect(mover.ended.size).toBeGreaterThan(0);
    await auditState(world);
    await auditLedger(world, 'web-1');
    expect(world.deaths).toEqual([]);
  },
};

/** Kills at once; gives what brings it back. */
async function kill(world: World, victim: Victim): Promise<() => Promise<void>> {
  const { cluster } = world;
  const { children } = cluster;
  switch (victim) {
    case 'leader':
    case 'standby': {
      const running = ['switch-manager-1', 'switch-manager-2'].filter((n) => children.pidOf(n) !== undefined);
      const leads = running.length === 1 ? running[0]! : await world.leader();
      const name = victim === 'leader' ? leads : (running.find((n) => n !== leads) ?? leads);
      await children.kill(name);
      return () => cluster.startManager(Number(name.at(-1)));
    }
    case 'coordinator':
      await children.kill('migration-coordinator');
      return () => cluster.startCoordinator();
    case 'api':
      await children.kill('operator-api');
      return async () => {
        await cluster.startApi();
        if (children.pidOf('nats-server') === undefined)
          await until('it to say why not', () => saysWhy(world));
      };
    case 'agent':
      await children.kill('host-agent-charlie');
      return () => cluster.startAgent('charlie');
    case 'nats':
      await children.kill('nats-server');
      return () => cluster.startNats();
  }
}

/** Started before the message server: it is there, and says what is missing. */
async function saysWhy(world: World): Promise<boolean> {
  const said = await world.api.status().catch((error: unknown) => error);
  if (!(said instanceof ApiError)) throw said;
  expect(said.message).toMatch(/503 .*the message server is \w+/);
  return true;
}
