import { expect } from '@jest/globals';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type WriteResult } from '#contracts/http';
import { until, type World } from '../process/cluster.fixture.js';
import { auditLog, auditPolicy, auditState } from './support/audit.js';
import { hostOf } from './support/mover.js';
import { type Scenario } from './support/scenario.js';
import { diskObstacle, SmallDisk } from './support/small-disk.js';

const HOST = 'charlie';
const VM = 'web-2';

/** An agent's disk is full: what it holds it carries out, also when it is changed; what needs its memory waits, and says so. */
export const agentsDiskFull: Scenario = {
  name: 'an agent’s disk full: policy goes on, what must be on disk first waits and says why, then goes on by itself',
  short: true,
  obstacle: diskObstacle,
  play: async (world) => {
    const { children, options } = world.cluster;
    const agent = `host-agent-${HOST}`;
    const dir = join(options.home, 'hosts', HOST);
    await children.kill(agent);
    const disk = await SmallDisk.mount(dir, 512);
    try {
      await world.cluster.startAgent(HOST);
      await auditPolicy(world, 1_481);
      await disk.fillUp();
      await auditPolicy(world, 1_482);
      // A guest that arrives needs a place of its own in the agent's memory.
      const id = await migrate(world, HOST);
      await saysWhyNot(world);
      await disk.free();
      await until(`${id} to complete`, async () => {
        const { phase, history } = await world.api.migration(id);
        if (phase !== 'completed') throw new Error(JSON.stringify(history));
        return true;
      });
      await until('nothing to be wrong', async () => (await trouble(world)) === '');
      await back(world, dir);

      // Killed and started again with its disk full: what it held stands, and it goes on when there is room.
      await children.kill(agent);
      // What it was writing when it was killed would be room for the next.
      for (const file of await readdir(dir)) if (file.endsWith('.new')) await rm(join(dir, file));
      await disk.fillUp();
      await world.cluster.startAgent(HOST);
      await saysWhyNot(world);
      await disk.free();
      await auditPolicy(world, 1_483);
      await until('nothing to be wrong', async () => (await trouble(world)) === '');
      await auditLog(world);
    } finally {
      if (children.pidOf(agent) !== undefined) await children.kill(agent);
      await disk.unmount();
      await world.cluster.startAgent(HOST);
    }
    await auditPolicy(world, 1_484);
    await auditState(world);
    expect(world.deaths).toEqual([]);
  },
};

const saysWhyNot = (world: World): Promise<boolean> =>
  until('it to say why not', async () => /switch-failed.*ENOSPC/.test(await trouble(world)));

/** What the host's exceptions say; empty: there are none. */
async function trouble(world: World): Promise<string> {
  const host = (await world.api.hosts()).items.find((h) => h.metadata.name === HOST);
  return (host?.status.exceptions ?? []).map((e) => `${e.code}: ${e.reason}`).join('\n');
}

async function migrate(world: World, destination: string): Promise<string> {
  const started = await world.api.send<WriteResult>('POST', '/v1/migrations', { owner: VM, destination });
  return started.changed.find((c) => c.kind === 'Migration')!.name;
}

/** Back where it came from, and out of what the simulated hypervisor remembers: it would bring it up a second time. */
async function back(world: World, dir: string): Promise<void> {
  const id = await migrate(world, 'bravo');
  await until(`${id} to complete`, async () => (await world.api.migration(id)).phase === 'completed');
  expect(await hostOf(world, VM)).toBe('bravo');
  await until(
    'the hypervisor to have put it down',
    async () => !(await readFile(join(dir, 'guests.json'), 'utf8')).includes(VM),
  );
}
