import { describe, expect, it } from '@jest/globals';
import { type MigrationOrder } from '#contracts';
import { type HostName } from '#kernel';
import { BLANK_MEMORY, type GuestSpec } from './guest.js';
import { type MigrationOutcome } from './hypervisor.js';
import { SimulatedHypervisor } from './simulated.js';

const GUEST: GuestSpec = {
  owner: 'web-1',
  ifaceId: 'web-1-eth0',
  mac: '02:00:00:00:00:01',
  profile: 'web',
  switch: 'lan',
  pps: 1,
};
const to = 'bravo' as HostName;

async function hypervisor(restored: readonly GuestSpec[] | null, isThere = Promise.resolve()) {
  const plugs = { plug: () => isThere.then(() => () => undefined), unplug: () => undefined };
  const guests = restored && restored.map((spec) => ({ spec, memory: BLANK_MEMORY }));
  const made = new SimulatedHypervisor(null, () => undefined, plugs, [], guests, 0);
  const told: MigrationOutcome[] = [];
  made.watch((outcome) => told.push(outcome));
  await made.start();
  return { made, outcomes: () => told.map((t) => t.outcome) };
}

const order = (action: MigrationOrder['action']): MigrationOrder =>
  ({ migration: 'm1', attempt: 1, owner: 'web-1', action, destination: to }) as unknown as MigrationOrder;

describe('a simulated hypervisor that is asked to move a guest it does not have', () => {
  it('has failed if it never ran before', async () => {
    const { made, outcomes } = await hypervisor(null);
    await made.migrate(order('start'), to);
    expect(outcomes()).toEqual(['failed']);
    await made.close();
  });

  it.each(['start', 'abort'] as const)(
    'does not know after a restart, asked to %s: the guest may have left before it',
    async (action) => {
      const { made, outcomes } = await hypervisor([]);
      await (action === 'start' ? made.migrate(order(action), to) : made.abort(order(action)));
      expect(outcomes()).toEqual(['unknown']);
      await made.close();
    },
  );

  it('says that a move is off whose guest is still here', async () => {
    const { made, outcomes } = await hypervisor([GUEST]);
    await made.abort(order('abort'));
    expect(outcomes()).toEqual(['aborted']);
    await made.close();
  });

  it.each([
    ['start', 'failed'],
    ['abort', 'aborted'],
  ] as const)(
    'knows of a guest that waits for its switch after a restart, asked to %s',
    async (action, outcome) => {
      let come = (): void => undefined;
      const { made, outcomes } = await hypervisor([GUEST], new Promise((resolve) => (come = resolve)));
      const done = action === 'start' ? made.migrate(order(action), to) : made.abort(order(action));
      expect(outcomes()).toEqual([]);
      come();
      await done;
      // Nobody knows where bravo is: to say so the guest must have been found.
      expect(outcomes()).toEqual([outcome]);
      await made.close();
    },
  );
});
