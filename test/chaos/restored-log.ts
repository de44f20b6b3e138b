import { expect } from '@jest/globals';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Status } from '#contracts/http';
import { until, type World } from '../process/cluster.fixture.js';
import { lineagesOfDocuments } from './support/documents.js';
import { auditLoad, auditPolicy, auditState } from './support/audit.js';
import { Load } from './support/load.js';
import { type Scenario } from './support/scenario.js';

const store = (world: World): string => join(world.cluster.options.home, 'nats', 'data');
const copy = (world: World): string => join(world.cluster.options.home, 'copy');

/** The server is killed, and started again on what `part` of its store was some commands ago. */
function restored(what: string, name: string, part: string, mtu: number, withManagers = false): Scenario {
  return {
    name: `${what} restored from an older copy: a new lineage, everything published anew, the operator is told`,
    short: !withManagers,
    play: async (world) => {
      await keepCopy(world);
      const before = await world.api.status();
      const lost = new Load(world.cluster.api, `lost-${name}`, 2);
      await lost.more(20);
      await lost.stop();
      await auditPolicy(world, mtu);
      expect((await world.api.status()).lineage).toBe(before.lineage);

      await world.cluster.children.kill('nats-server');
      const managers = withManagers ? [1, 2] : [];
      for (const n of managers) await world.cluster.children.kill(`switch-manager-${n}`);
      await rm(join(store(world), part), { recursive: true, force: true });
      await cp(join(copy(world), part), join(store(world), part), { recursive: true });
      await world.cluster.startNats();
      for (const n of managers) {
        await rm(join(world.cluster.options.home, 'managers', `${n}`), { recursive: true, force: true });
        await world.cluster.startManager(n);
      }

      const after = await until<Status>('a leader in a new lineage', async () => {
        const now = await world.api.status();
        return now.leader !== null && now.lineage !== before.lineage && now;
      });
      const told = await world.cli('events', '--from', '1', '--limit', '5', '-o', 'json');
      expect(told.out).toContain('LineageOpened');
      expect(told.out).toContain(after.lineage);
      const manager = await world.connect('manager');
      await until('all documents to be of it', async () => {
        const lineages = await lineagesOfDocuments(world, manager);
        if (lineages.size > 1 || !lineages.has(after.lineage!))
          throw new Error(`it is ${after.lineage}, and documents are of ${[...lineages].join(', ')}`);
        return true;
      });
      const load = new Load(world.cluster.api, `after-${name}`, 2);
      await load.more(20);
      await load.stop();
      const stands = new Set((await auditLoad(world, load)).map((e) => e.commandid));
      // What was lost stays lost, and is not there by halves.
      expect([...lost.acknowledged.keys()].filter((key) => stands.has(key))).toEqual([]);
      await auditPolicy(world, mtu + 1);
      await auditState(world);
      expect(world.deaths).toEqual([]);
    },
  };
}

async function keepCopy(world: World): Promise<void> {
  await world.cluster.children.kill('nats-server');
  await rm(copy(world), { recursive: true, force: true });
  await cp(store(world), copy(world), { recursive: true });
  await world.cluster.startNats();
  await until('a leader', async () => (await world.api.status()).leader !== null);
}

export const restoredLogs: readonly Scenario[] = [
  restored('the log alone', 'log', join('jetstream', 'CORE', 'streams', 'LOG'), 1_401),
  restored('all that the server holds', 'all', 'jetstream', 1_411),
  restored('all that the server holds, managers without a memory', 'bare', 'jetstream', 1_421, true),
];
