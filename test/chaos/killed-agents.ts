import { expect } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MigrationView, type WriteResult } from '#contracts/http';
import { until, type World } from '../process/cluster.fixture.js';
import { auditLoad, auditPolicy, auditState } from './support/audit.js';
import { Load } from './support/load.js';
import { auditMoves, hostOf } from './support/mover.js';
import { type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';

const VM = 'web-2';
const [ONE, OTHER] = ['bravo', 'charlie'] as const;

const ROUNDS: readonly (readonly string[])[] = [[ONE], [OTHER], [ONE, OTHER], [ONE], [OTHER], ['nats', ONE]];

/** In a simulated host the agent is the hypervisor, too: its guests go down with it, and come up again where they were. */
export const killedAgents: Scenario = {
  name: 'agents at either end killed in mid-move: every move ends, nothing acknowledged is lost, counters never fall',
  short: false,
  play: async (world) => {
    const seen = new Seen(world, 'killed-agents');
    const load = new Load(world.cluster.api, 'agents', 2, ['alpha']);
    const port = (await world.api.ports(`?owner=${VM}`)).items[0]!.metadata.name;
    const ended = new Map<string, MigrationView>();
    let least = 0;
    for (const victims of ROUNDS) {
      const id = await beginMove(world);
      const back: (() => Promise<void>)[] = [];
      for (const victim of victims) back.push(await kill(world, victim));
      for (const start of back) await start();
      await load.more(5);
      ended.set(id, await until(`${id} to end`, () => end(world, id), 90_000));
      await seen.at(`${victims.join(', ')} killed`, `describe migration ${id}`);
      const { packets } = (await world.api.stats(port)).in;
      expect(packets).toBeGreaterThanOrEqual(least);
      least = packets;
    }
    await load.stop();
    auditMoves(await auditLoad(world, load), { ended });
    await auditPolicy(world, 1_461);
    await auditState(world);
    expect(world.deaths).toEqual([]);
  },
};

/**
 * A move whose guest is being copied. Simulated hypervisors put their guests down once a second, and one that was killed
 * before that would bring up what it had sent away: so it begins when only the source has it on disk.
 */
async function beginMove(world: World): Promise<string> {
  const source = await until('the guest to be somewhere', () => hostOf(world, VM));
  const destination = source === ONE ? OTHER : ONE;
  await until('disks to say where it is', async () => {
    const [here, there] = await Promise.all([source, destination].map((host) => isKnown(world, host)));
    return here === true && there === false;
  });
  const started = await until('the move to be admitted', () =>
    world.api.send<WriteResult>('POST', '/v1/migrations', { owner: VM, destination }),
  );
  const id = started.changed.find((c) => c.kind === 'Migration')!.name;
  await until('the guest to be copied', async () => {
    const { phase, finished } = await world.api.migration(id);
    if (finished) throw new Error(`it ${phase}`);
    return phase === 'moving';
  });
  return id;
}

const isKnown = async ({ cluster }: World, host: string): Promise<boolean> =>
  (await readFile(join(cluster.options.home, 'hosts', host, 'guests.json'), 'utf8')).includes(`"${VM}"`);

/** As it ended. Where nobody knows, the operator's word is asked for: the guest is not at the destination. */
async function end(world: World, id: string): Promise<MigrationView | null> {
  const now = await world.api.migration(id);
  if (now.phase === 'unknown') await world.api.send('POST', `/v1/migrations/${id}/abort`, {});
  return now.finished ? now : null;
}

async function kill({ cluster }: World, victim: string): Promise<() => Promise<void>> {
  const isNats = victim === 'nats';
  await cluster.children.kill(isNats ? 'nats-server' : `host-agent-${victim}`);
  return () => (isNats ? cluster.startNats() : cluster.startAgent(victim));
}
