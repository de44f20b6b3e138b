import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeLibvirt, POST_COPY_FAILED, WEB } from './fake-libvirt.fixture.js';
import { LibvirtHost, order } from './libvirt-host.fixture.js';

const BROKE_OFF: unknown = expect.stringContaining('post-copy broke off');

describe('post-copy', () => {
  let host: LibvirtHost;
  let libvirt: FakeLibvirt;
  const asked = (): readonly string[] => libvirt.of('migrate-postcopy');
  const pass = async (n: number): Promise<void> => {
    libvirt.tell('migration-iteration', `iteration: '${n}'`);
    await host.settled();
  };
  const released = async (): Promise<void> => {
    host.hypervisor.standing([order()]);
    await host.settled();
  };
  /** libvirt keeps the job, to be resumed. */
  const breaksOff = async (): Promise<void> => {
    libvirt.web = POST_COPY_FAILED;
    libvirt.lifecycle('Suspended Post-copy Error');
    await host.settled();
  };

  beforeEach(async () => {
    host = new LibvirtHost();
    libvirt = host.libvirt;
    await host.run({ options: ['post-copy'] });
  });
  afterEach(() => host.hypervisor.close());

  it('begins when all was copied once', async () => {
    await host.begin();
    expect(libvirt.of('migrate --live')[0]).toContain(' --postcopy ');
    await pass(1);
    expect(asked()).toEqual([]);
    await pass(2);
    await pass(3);
    expect(asked()).toEqual([`migrate-postcopy ${WEB}`]);
  });

  it('waits for the destination, too', async () => {
    await host.begin({ held: true });
    await pass(1);
    await pass(2);
    expect(asked()).toEqual([]);
    await released();
    expect(asked()).toHaveLength(1);
  });

  it('is asked for at the next pass where libvirt refused it', async () => {
    await host.begin();
    libvirt.refusesPostCopy = true;
    await pass(2);
    libvirt.refusesPostCopy = false;
    await pass(3);
    await pass(4);
    expect(asked()).toHaveLength(2);
  });

  it('is begun by a run of the agent that found the move under way', async () => {
    await host.begin();
    await host.hypervisor.close();
    await host.run({ options: ['post-copy'] });
    await host.begin();
    await pass(2);
    expect(asked()).toHaveLength(1);
  });

  it.each([
    ['while virsh waits', () => undefined],
    ['and ends virsh', () => libvirt.ends('operation failed: post-copy phase of migration failed')],
  ])(
    'that breaks off %s is nothing that anybody knows the end of; resumed, the guest is moved',
    async (_how, more) => {
      await host.begin();
      await pass(2);
      await breaksOff();
      more();
      libvirt.isSending = true;
      await host.after(10_000);
      expect(host.said).toMatchObject([{ outcome: 'started' }, { outcome: 'unknown', reason: BROKE_OFF }]);
      libvirt.leaves();
      await host.settled();
      expect(host.outcomes).toEqual(['started', 'unknown', 'completed']);
    },
  );

  it('that broke off before a run of the agent began is said to have', async () => {
    await host.begin();
    await pass(2);
    await breaksOff();
    await host.hypervisor.close();
    await host.run({ options: ['post-copy'] });
    await host.begin();
    expect(host.said.at(-1)).toMatchObject({ outcome: 'unknown', reason: BROKE_OFF });
    libvirt.leaves();
    await host.settled();
    expect(host.outcomes.at(-1)).toBe('completed');
  });

  it('that broke off is no guest to begin another move of', async () => {
    libvirt.web = POST_COPY_FAILED;
    await host.begin();
    expect([host.outcomes, libvirt.of('migrate --live')]).toEqual([['failed'], []]);
  });

  it('is none where it is not set', async () => {
    await host.restarted();
    await host.begin();
    await pass(2);
    expect(asked()).toEqual([]);
    expect(libvirt.of('migrate --live')[0]).not.toContain('postcopy');
  });
});
