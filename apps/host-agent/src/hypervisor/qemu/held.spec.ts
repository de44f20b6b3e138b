import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refused } from './fake-qemu.fixture.js';
import { order, QemuHost, SOUTH } from './qemu-host.fixture.js';

const held = order(1, 'start', { held: true });

describe('a guest whose destination is not ready', () => {
  let host: QemuHost;

  beforeEach(async () => {
    host = await QemuHost.start();
  });

  afterEach(() => host.stop());

  /** The order as it is given, and as it stands. */
  const give = async (given = order()): Promise<void> => {
    host.hypervisor.standing([given]);
    await host.hypervisor.migrate(given, SOUTH);
  };
  const migrates = () => host.qemu.of('migrate').length;

  it('is not moved before it is', async () => {
    await give(held);
    expect([migrates(), host.disk]).toEqual([0, []]);
    host.hypervisor.standing([held]);
    host.hypervisor.standing([order()]);
    await host.words(1);
    expect([migrates(), host.outcomes]).toEqual([1, ['started']]);
  });

  it('stays where it is when that takes too long, or is called off', async () => {
    await host.hypervisor.close();
    await host.run({ patienceMs: 5 });
    await give(held);
    await host.words(1);
    expect(host.said[0]).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('south did not say'),
    });
    await host.hypervisor.close();
    await host.run();
    await give(held);
    await host.hypervisor.abort(order(1, 'abort'));
    expect([host.outcomes, migrates()]).toEqual([['failed', 'aborted'], 0]);
  });

  it('is asked for once more by a QEMU that pauses, and goes on at once when nothing has changed', async () => {
    await host.hypervisor.close();
    await host.run({ pauses: true });
    await give();
    expect(host.qemu.capabilities.get('pause-before-switchover')).toBe(true);
    const continued = host.qemu.next('migrate-continue');
    host.qemu.becomes('pre-switchover');
    await continued;
    expect(host.qemu.of('migrate-continue')).toEqual([{ state: 'pre-switchover' }]);
  });

  it('goes on when it is ready again, and stays when it does not become so', async () => {
    await host.hypervisor.close();
    await host.run({ pauses: true });
    await give();
    host.hypervisor.standing([held]);
    host.qemu.becomes('pre-switchover');
    await host.until(() => host.qemu.of('query-status').length > 0);
    expect(host.qemu.of('migrate-continue')).toEqual([]);
    const continued = host.qemu.next('migrate-continue');
    host.hypervisor.standing([order()]);
    await continued;
    host.qemu.becomes('device');
    host.hypervisor.standing([held]);
    host.qemu.becomes('pre-switchover');
    await host.words(2);
    expect(host.said[1]).toMatchObject({
      outcome: 'failed',
      reason: 'south is not ready for the guest any more',
    });
    expect(host.qemu.of('migrate_cancel')).toHaveLength(1);
  });

  it('is not kept by what an order left set at its QEMU, once that is over', async () => {
    await host.hypervisor.close();
    await host.run({ pauses: true });
    host.qemu.onMigrate = () => refused('State blocked by non-migratable device');
    await give();
    expect(host.outcomes).toEqual(['failed']);
    host.hypervisor.standing([]);
    await host.until(() => host.disk.length === 0);
    expect(host.qemu.capabilities.get('pause-before-switchover')).toBe(false);
  });
});
