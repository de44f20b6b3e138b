import { expect } from '@jest/globals';
import { type MigrationView, type WriteResult } from '#contracts/http';
import { letGo, until } from '../process/cluster.fixture.js';
import { auditLog, auditPolicy, auditState } from './support/audit.js';
import { CLOCKED, setClock } from './support/clocks.js';
import { sentBy } from './support/ledger.js';
import { hostOf } from './support/mover.js';
import { FULL, type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';
import { type ChaosWorld } from './support/world.js';

const HOUR = 3_600_000;
const VM = 'web-1';

/**
 * A host is cut off while a guest leaves it: what it has to say of that (final counters, the word of its hypervisor)
 * is an hour old when it arrives. Until then nothing is made up, and then nothing of it is lost or believed twice.
 */
export const lateFacts: Scenario<ChaosWorld> = {
  name: 'facts that come an hour late: ledgers are exact again, and nothing that happened since is undone',
  short: true,
  play: async (world) => {
    const { bravosWay } = world;
    const port = (await world.api.ports(`?owner=${VM}`)).items[0]!.metadata.name;
    const seen = new Seen(world, 'late-facts');
    const { id, epoch } = await cutInMidMove(world, port);
    const look = (moment: string) =>
      seen.at(
        moment,
        'get hosts',
        'migrations',
        `describe migration ${id}`,
        `describe port ${port}`,
        `events --object port/${port} --limit 12`,
      );
    try {
      const there = await phase(world, id, 'switched');
      for (const service of CLOCKED) await setClock(world, service, HOUR);
      await neverMore(world, port);
      await look('cut off');
      if (FULL) {
        // Not waited for for ever: the move ends without bravo, and the guest moves on.
        const ended = await phase(world, id, 'completed', 90_000);
        expect(ended.reason).toContain('final counters');
        await look('ended without it');
        for (const to of ['charlie', 'alpha']) await phase(world, await migrate(world, to), 'completed');
      }
      await neverMore(world, port);
      const before = (await world.api.ports(`?owner=${VM}`)).items[0]!.status.active;
      expect(before?.host).toBe('alpha');
      bravosWay.mend();
      const closed = await until('bravo’s final counters', () => closing(world, port, epoch));
      expect(closed.inexact).toBeUndefined();
      // By the log's own time: what it says was so an hour ago.
      expect(closed.at - Date.parse(there.history.at(-1)!.at)).toBeGreaterThan(HOUR * 0.9);
      await phase(world, id, 'completed');
      await look('let in again');
      expect((await world.api.ports(`?owner=${VM}`)).items[0]!.status.active).toEqual(before);
    } finally {
      bravosWay.mend();
    }
    await neverMore(world, port);
    await auditPolicy(world, 1_471);
    await auditLog(world);
    await auditState(world);
    expect(world.deaths).toEqual([]);
  },
};

/** Bravo got the order to move the guest away, and is cut off before it can say what came of it. */
async function cutInMidMove(world: ChaosWorld, port: string): Promise<{ id: string; epoch: number }> {
  for (let n = 0; n < 5; n += 1) {
    if ((await hostOf(world, VM)) !== 'bravo') await phase(world, await migrate(world, 'bravo'), 'completed');
    const { active } = (await world.api.ports(`?owner=${VM}`)).items[0]!.status;
    const id = await migrate(world, 'alpha');
    await until('the guest to be copied', async () => {
      const now = await world.api.migration(id);
      return now.phase !== 'admitted' && now.phase !== 'prepared';
    });
    // Until then bravo is not to let it go: cut off sooner, it would wait for that word.
    await letGo(world, id);
    world.bravosWay.cut();
    // On a busy machine the move may have been over first: then there is nothing to be late with.
    if ((await closing(world, port, active!.epoch)) === null) return { id, epoch: active!.epoch };
    world.bravosWay.mend();
    await phase(world, id, 'completed');
  }
  throw new Error('every move was over before bravo could be cut off');
}

async function migrate(world: ChaosWorld, destination: string): Promise<string> {
  const started = await world.api.send<WriteResult>('POST', '/v1/migrations', { owner: VM, destination });
  return started.changed.find((c) => c.kind === 'Migration')!.name;
}

const phase = (world: ChaosWorld, id: string, wanted: string, limitMs?: number): Promise<MigrationView> =>
  until(
    `${id} to be ${wanted}`,
    async () => {
      const now = await world.api.migration(id);
      if (now.phase !== wanted) throw new Error(`it is ${now.phase}: ${JSON.stringify(now.history)}`);
      return now;
    },
    limitMs,
  );

/** A ledger that lacks what nobody could tell yet is behind what was sent; never before it. */
async function neverMore(world: ChaosWorld, port: string): Promise<void> {
  const { packets } = (await world.api.stats(port)).in;
  await until('the guest’s own count to be no less than the ledger', async () => {
    const sent = await sentBy(world, VM);
    return sent !== undefined && sent >= packets;
  });
}

interface Closing {
  readonly inexact?: object;
  /** ms since the epoch, the log's time. */
  readonly at: number;
}

async function closing(world: ChaosWorld, port: string, epoch: number): Promise<Closing | null> {
  for (const commit of await world.log()) {
    for (const event of 'events' in commit.data ? commit.data.events : []) {
      if (event.type !== 'SegmentClosed') continue;
      const data = event.data as { port: string; host: string; epoch: number; inexact?: object };
      if (data.port === port && data.host === 'bravo' && data.epoch === epoch)
        return {
          at: Date.parse(commit.time),
          ...(data.inexact === undefined ? {} : { inexact: data.inexact }),
        };
    }
  }
  return null;
}
