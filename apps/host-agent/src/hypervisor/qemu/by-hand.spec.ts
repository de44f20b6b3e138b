import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type MigrationId } from '#kernel';
import { settle } from '../../agent.fixture.js';
import { refused } from './fake-qemu.fixture.js';
import { order, QemuHost } from './qemu-host.fixture.js';

const m7 = 'm7' as MigrationId;
const arrival = { migration: m7, attempt: 1, owner: 'web' };

describe('a guest that somebody else moves', () => {
  let host: QemuHost;

  beforeEach(async () => {
    host = await QemuHost.start();
  });

  afterEach(() => host.stop());

  const onItsWay = (from: boolean, arrivals: readonly (typeof arrival)[] = []): void =>
    host.hypervisor.expects({ arrivals, moving: [{ owner: 'web', migration: m7, from }] });
  const gone = (): void => {
    host.qemu.runState = 'postmigrate';
    host.qemu.becomes('completed', { 'total-time': 700, downtime: 7 });
  };
  /** Resolves when the agent has looked, and all that it had to say was said. */
  const looked = async (): Promise<void> => {
    const before = host.qemu.of('query-migrate').length;
    await host.until(() => host.qemu.of('query-migrate').length > before);
    await host.until(() => host.qemu.heard.at(-1)?.command === 'query-status');
    await settle();
  };

  it('is told of by its source, from when it is copied', async () => {
    onItsWay(true);
    host.qemu.becomes('active');
    await host.words(1);
    gone();
    await host.words(2);
    expect(host.said).toEqual([
      { migration: m7, attempt: 0, outcome: 'started' },
      { migration: m7, attempt: 0, outcome: 'completed', pauseMs: 7 },
    ]);
    expect(host.qemu.of('quit')).toEqual([]);
  });

  it('is not told of twice while an order for it stands that was not carried out yet', async () => {
    host.hypervisor.standing([order(1, 'start', { migration: m7, held: true })]);
    onItsWay(true);
    host.qemu.becomes('active');
    await host.until(() => host.qemu.heard.at(-1)?.command === 'query-status');
    await settle();
    expect(host.said).toEqual([]);
  });

  it('is told of also when it had begun, or was gone, before the log knew of it', async () => {
    host.qemu.becomes('active');
    onItsWay(true);
    await host.words(1);
    await host.hypervisor.close();
    gone();
    await host.run();
    onItsWay(true);
    await host.words(2);
    expect(host.outcomes).toEqual(['started', 'completed']);
  });

  it.each([
    ['failed', 'failed', 'Broken pipe'],
    ['cancelled', 'aborted', 'it was called off by hand'],
  ])('stays when that %s, and an older such end is no news', async (status, outcome, reason) => {
    host.qemu.migration = { status, 'error-desc': 'Broken pipe' };
    onItsWay(true);
    await looked();
    expect(host.said).toEqual([]);
    host.qemu.becomes('active');
    await host.words(1);
    host.qemu.becomes(status, { 'error-desc': 'Broken pipe' });
    await host.words(2);
    expect(host.said[1]).toEqual({ migration: m7, attempt: 0, outcome, reason });
  });

  it('is told of by its destination when it runs there', async () => {
    host.qemu.runState = 'inmigrate';
    host.qemu.event('STOP');
    onItsWay(false);
    host.qemu.becomes('active');
    await looked();
    host.qemu.runState = 'running';
    host.qemu.migration = { status: 'completed' };
    host.qemu.event('RESUME');
    await host.words(1);
    expect(host.said).toEqual([{ migration: m7, attempt: 0, outcome: 'completed' }]);
  });

  it('is not taken for one that arrived when its QEMU was only started there, or the log has ordered it', async () => {
    onItsWay(false);
    await looked();
    host.qemu.migration = { status: 'completed' };
    onItsWay(false, [arrival]);
    await settle();
    expect(host.said).toEqual([]);
  });

  it('is followed by an agent that was started in its midst, although QEMU lets it listen only afterwards', async () => {
    await host.hypervisor.close();
    host.qemu.capabilities.set('events', false);
    host.qemu.migration = { status: 'active' };
    await host.run();
    onItsWay(true);
    await host.words(1);
    // No event: nobody hears any.
    host.qemu.migration = { status: 'completed' };
    host.qemu.runState = 'postmigrate';
    await host.words(2);
    expect(host.outcomes).toEqual(['started', 'completed']);
    await host.until(() => host.qemu.capabilities.get('events') === true);
  });
});

describe('a QEMU that waits with -incoming defer', () => {
  let host: QemuHost;

  beforeEach(async () => {
    host = await QemuHost.start();
    host.qemu.runState = 'inmigrate';
    host.qemu.event('STOP');
    await host.until(() => host.hypervisor.vms()[0]?.state === 'incoming');
  });

  afterEach(() => host.stop());

  const expected = (arrivals = [arrival]): void => host.hypervisor.expects({ arrivals, moving: [] });

  it('is told to listen when a guest is sent to it, and not before', async () => {
    expected([{ ...arrival, owner: 'db' }]);
    const listens = host.qemu.next('migrate-incoming');
    expected();
    expected();
    await listens;
    expect(host.qemu.of('migrate-incoming')).toEqual([{ uri: 'unix:/run/north/web.migrate' }]);
  });

  it('is told so when it comes later, and again when it refused and was started anew', async () => {
    await host.qemu.die();
    await host.until(() => host.hypervisor.vms().length === 0);
    expected();
    host.qemu.onIncoming = () => refused('Address already in use');
    for (let n = 1; n <= 2; n += 1) {
      const listens = host.qemu.next('migrate-incoming');
      await host.qemu.listen();
      await listens;
      await host.qemu.die();
      expect(host.qemu.of('migrate-incoming')).toHaveLength(n);
    }
  });
});
