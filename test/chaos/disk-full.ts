import { expect } from '@jest/globals';
import { join } from 'node:path';
import { until } from '../process/cluster.fixture.js';
import { auditLoad, auditPolicy, auditState } from './support/audit.js';
import { Load } from './support/load.js';
import { type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';
import { diskObstacle, SmallDisk } from './support/small-disk.js';

/** The message server's disk is full under load: nothing that was acknowledged is lost, and it is said what is wrong. */
export const serversDiskFull: Scenario = {
  name: 'nats-server’s disk full under load: commands are refused with a reason, none acknowledged is lost',
  short: true,
  obstacle: diskObstacle,
  play: async (world) => {
    const { children } = world.cluster;
    await children.kill('nats-server');
    const seen = new Seen(world, 'disk-full');
    const disk = await SmallDisk.mount(join(world.cluster.options.home, 'nats', 'data'), 64 * 1024);
    try {
      await world.cluster.startNats();
      await until('a leader', async () => (await world.api.status()).leader !== null);
      const load = new Load(world.cluster.api, 'full', 4);
      await load.more(20);
      await seen.from('nats-server', 'switch-manager-1', 'switch-manager-2');
      await disk.fill(24);
      load.lastTrouble = null;
      const why = await until('a command to be refused', async () => load.lastTrouble);
      expect(why).toMatch(/./);
      const problem = await until('the API to say what is wrong', async () => {
        const { leader, api } = await world.api.status();
        return leader === null && api.problem;
      });
      expect(problem).toMatch(/message server: does not answer for the log .*disk may be full/);
      await seen.at(`full: ${why}`, 'status', 'migrate db-1 --to alpha', 'get hosts');
      for (const name of ['nats-server', 'switch-manager-1', 'switch-manager-2']) await seen.log(name);
      await disk.free();
      await seen.at('room again', 'status', 'migrate db-1 --to alpha');
      // A server that met a full disk takes its store out of use until it is started again.
      await children.kill('nats-server');
      await world.cluster.startNats();
      await load.more(20);
      await load.stop();
      await auditLoad(world, load);
    } finally {
      if (children.pidOf('nats-server') !== undefined) await children.kill('nats-server');
      await disk.unmount();
      await world.cluster.startNats();
    }
    await auditPolicy(world, 1_450);
    await auditState(world);
    expect(world.deaths).toEqual([]);
  },
};
