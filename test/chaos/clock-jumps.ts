import { expect } from '@jest/globals';
import { until, type World } from '../process/cluster.fixture.js';
import { auditLoad, auditPolicy, auditState } from './support/audit.js';
import { CLOCKED, setClock } from './support/clocks.js';
import { auditLedger } from './support/ledger.js';
import { Load } from './support/load.js';
import { auditMoves, Mover } from './support/mover.js';
import { sized, type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';

const HOUR = 3_600_000;

/** Who jumps, and how far. The second half puts right what the first did: that is a jump, too. */
const JUMPS: readonly (readonly [readonly string[], number])[] = sized<
  readonly (readonly [readonly string[], number])[]
>(
  [
    [['switch-manager-1', 'host-agent-alpha'], 25 * HOUR],
    [['switch-manager-2', 'host-agent-bravo', 'operator-api'], -2 * HOUR],
  ],
  [
    [['switch-manager-1'], 25 * HOUR],
    [['switch-manager-2'], -25 * HOUR],
    [['migration-coordinator'], 2 * HOUR],
    [['migration-coordinator'], -2 * HOUR],
    [['host-agent-alpha', 'host-agent-bravo'], HOUR],
    [['host-agent-alpha', 'host-agent-bravo'], -HOUR],
    [['operator-api'], 300 * HOUR],
    [CLOCKED, -HOUR],
    [CLOCKED, 24 * 365 * HOUR],
  ],
);

export const clockJumps: Scenario = {
  name: 'wall clocks that jump: commands, migrations and policy go on, hosts are heard, counters and ledgers too',
  short: true,
  play: async (world) => {
    const load = new Load(world.cluster.api, 'clock', 2);
    const mover = new Mover(world, 'web-2', ['alpha', 'bravo'], 'clock-move');
    const seen = new Seen(world, 'clock-jumps');
    let mtu = 1_200;
    for (const [services, offset] of JUMPS) {
      for (const service of services) await setClock(world, service, offset);
      await goesOn(world, load, mover, (mtu += 1));
      const moment = `${services.join(', ')} by ${offset / HOUR} h`;
      await seen.at(moment, 'status', 'get hosts', 'migrations', 'events --limit 6');
      for (const service of services) await setClock(world, service, 0);
      await goesOn(world, load, mover, (mtu += 1));
    }
    await mover.stop();
    await load.stop();
    auditMoves(await auditLoad(world, load), mover);
    for (const { phase, history } of mover.ended.values())
      expect([phase, history]).toEqual(['completed', expect.anything()]);
    await auditState(world);
    await auditLedger(world, 'web-1');
    expect(world.deaths).toEqual([]);
  },
};

async function goesOn(world: World, load: Load, mover: Mover, mtu: number): Promise<void> {
  const moved = mover.ended.size;
  const counted = await broadcasts(world);
  await load.more(10);
  await auditPolicy(world, mtu);
  await until('a migration to end', () => Promise.resolve(mover.ended.size > moved));
  await until(
    'all hosts to be up',
    async () => (await world.api.status()).hosts.total === 3 && (await up(world)) === 3,
  );
  await until('counters to go on', async () => (await broadcasts(world)) > counted);
}

const up = async (world: World): Promise<number> =>
  (await world.api.hosts()).items.filter((h) => h.status.state === 'up').length;

/** What db-1 sent, by the counters that are shown: five a second, for ever. */
async function broadcasts(world: World): Promise<number> {
  const port = (await world.api.ports('?owner=db-1')).items[0]!.metadata.name;
  return (await world.api.stats(port)).in.packets;
}
