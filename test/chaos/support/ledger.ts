import { GUESTS, type GuestPlan } from '../../../deploy/quickstart/simulation.js';
import { until, type World } from '../../process/cluster.fixture.js';
import { sized } from './scenario.js';

/** web-1 sends so many numbered packets in its life, announcements after moves come on top; then it is silent. */
const LIMIT = sized(8_000, 40_000);

export const COUNTED_GUESTS: readonly GuestPlan[] = GUESTS.map((g) =>
  g.owner === 'web-1' ? { ...g, pps: 400, limit: LIMIT, waits: true } : g,
);

/**
 * What the guest says that it sent is what its port's ledger says, to the packet. For guests that have sent all, or
 * send so slowly that nothing is under way most of the time.
 */
export async function auditLedger(world: World, owner: string): Promise<void> {
  const port = (await world.api.ports(`?owner=${owner}`)).items[0]!.metadata.name;
  const least = owner === 'web-1' ? LIMIT : 1;
  await until(
    `the ledger of ${owner} to agree`,
    async () => {
      const sent = await sentBy(world, owner);
      const { packets } = (await world.api.stats(port)).in;
      if (sent !== packets || sent < least) throw new Error(`it says ${packets}; sent were ${sent}`);
      return sent === (await sentBy(world, owner));
    },
    sized(60_000, 180_000),
  );
}

export async function sentBy(world: World, owner: string): Promise<number | undefined> {
  const vms = (await world.api.hosts()).items.flatMap((h) => h.status.vms);
  return vms.find((v) => v.owner === owner && v.state === 'running')?.sent;
}
