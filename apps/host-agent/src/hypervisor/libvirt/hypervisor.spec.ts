import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { aboutOrder } from '../moves.js';
import { type FakeLibvirt, PAUSED_MIGRATING, SHUT_OFF_MIGRATED, WEB } from './fake-libvirt.fixture.js';
import { LibvirtHost, order } from './libvirt-host.fixture.js';

describe('libvirt', () => {
  let host: LibvirtHost;
  let libvirt: FakeLibvirt;
  const settled = (): Promise<void> => host.settled();
  const after = (ms: number): Promise<void> => host.after(ms);
  const restarted = (): Promise<void> => host.restarted();
  const begin = (more?: Partial<MigrationOrder>): Promise<void> => host.begin(more);
  const outcomes = () => host.outcomes;

  beforeEach(async () => {
    host = new LibvirtHost();
    libvirt = host.libvirt;
    await host.run();
  });

  afterEach(() => host.hypervisor.close());

  it('knows its guests and what they do', async () => {
    expect(host.hypervisor.vms()).toEqual([{ owner: WEB, state: 'running' }]);
    libvirt.web = PAUSED_MIGRATING;
    libvirt.lifecycle('Suspended Migrated');
    await settled();
    expect(host.hypervisor.vms()).toEqual([{ owner: WEB, state: 'incoming' }]);
    libvirt.web = null;
    libvirt.lifecycle('Stopped Destroyed');
    await settled();
    expect(host.hypervisor.vms()).toEqual([]);
  });

  it.each([
    ['runs', { state: 1, reason: 2 }, 'runs'],
    ['runs, but in post-copy', { state: 1, reason: 10 }, 'unknown'],
    ['is paused', PAUSED_MIGRATING, 'unknown'],
    ['is shut off as migrated', SHUT_OFF_MIGRATED, 'left'],
  ])('says of a guest that %s', async (_what, state, presence) => {
    libvirt.web = state;
    libvirt.lifecycle('Resumed Unpaused');
    await settled();
    expect(['web', WEB, 'db'].map((owner) => host.hypervisor.presence(owner))).toEqual([
      presence,
      presence,
      'unknown',
    ]);
  });

  it('tells for how long a guest stood still that left, however soon it is forgotten', async () => {
    await begin();
    host.hypervisor.standing([order()]);
    libvirt.web = null;
    libvirt.lifecycle('Stopped Migrated');
    host.hypervisor.standing([]);
    await settled();
    libvirt.tell('job-completed', '');
    for (const line of ['operation: 5', 'downtime: 93', 'downtime_net: 71']) libvirt.goesOn(line);
    expect(host.said.at(-1)).toEqual({ ...aboutOrder(order()), outcome: 'completed', pauseMs: 93 });
    expect(outcomes()).toEqual(['completed', 'completed']);
  });

  it('takes no pause from what says it of another job, or of a guest that is here', async () => {
    host.hypervisor.standing([order()]);
    libvirt.tell('job-completed', '');
    libvirt.goesOn('downtime: 93');
    libvirt.lifecycle('Stopped Migrated');
    libvirt.goesOn('downtime: 93');
    expect(host.said).toEqual([]);
  });

  it('remembers of a transient guest that it left, until it is back', async () => {
    // A look that began before sees it still.
    libvirt.lifecycle('Suspended Migrated');
    libvirt.web = null;
    libvirt.lifecycle('Stopped Migrated');
    await settled();
    expect(host.hypervisor.presence(WEB)).toBe('left');
    libvirt.web = { state: 1, reason: 2 };
    libvirt.lifecycle('Resumed Migrated');
    await settled();
    expect(host.hypervisor.presence(WEB)).toBe('runs');
  });

  it('moves a guest: asked once, and its words are told', async () => {
    await begin();
    expect(libvirt.of('migrate --live')).toEqual([
      `migrate --live --p2p --migrateuri tcp://south --domain ${WEB} --desturi qemu+tls://south/system`,
    ]);
    expect(host.disk).toMatchObject([{ key: `m1/1/south/${WEB}`, owner: WEB }]);
    libvirt.tell('migration-iteration', "iteration: '1'");
    expect(host.hypervisor.vms()).toEqual([{ owner: WEB, state: 'running', migration: 'm1' }]);
    await begin();
    libvirt.ends();
    await settled();
    expect(outcomes()).toEqual(['started', 'started', 'completed']);
    expect(libvirt.of('migrate --live')).toHaveLength(1);
    host.hypervisor.standing([]);
    await settled();
    expect(host.disk).toEqual([]);
  });

  it('knows a guest by its name, too, and takes along what is defined of it', async () => {
    libvirt.isPersistent = true;
    await begin({ owner: 'web' });
    expect(libvirt.of('migrate --live')[0]).toContain(`--p2p --persistent --undefinesource`);
    expect(libvirt.of('migrate --live')[0]).toContain(`--domain ${WEB} `);
  });

  it('copies slowly until the destination is ready, and lets go of it even if libvirt is busy', async () => {
    await begin({ held: true });
    expect(libvirt.of('migrate --live')[0]).toContain('--bandwidth 1 ');
    libvirt.tell('migration-iteration', "iteration: '1'");
    host.hypervisor.standing([order({ held: true })]);
    await settled();
    expect(libvirt.of('migrate-setspeed')).toEqual([]);
    libvirt.refusesSpeed = true;
    host.hypervisor.standing([order()]);
    await settled();
    libvirt.refusesSpeed = false;
    await after(500);
    await after(500);
    expect(libvirt.of('migrate-setspeed')).toEqual(Array(2).fill(`migrate-setspeed ${WEB} 8796093022207`));
  });

  it('lets go once memory is copied: what is set before that does not last', async () => {
    await begin({ held: true });
    host.hypervisor.standing([order()]);
    await settled();
    expect(libvirt.of('migrate-setspeed')).toEqual([]);
    libvirt.tell('migration-iteration', "iteration: '1'");
    await settled();
    expect(libvirt.of('migrate-setspeed')).toHaveLength(1);
  });

  it('tells libvirt’s reason when the guest stays', async () => {
    await begin();
    libvirt.ends('internal error: unable to execute QEMU command: bridge pt-lan does not exist');
    await settled();
    expect(host.said).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('bridge pt-lan') },
    ]);
  });

  it('aborts when that is asked, by whoever does', async () => {
    await begin();
    await host.hypervisor.abort(order({ action: 'abort' }));
    await settled();
    await begin({ attempt: 2 });
    libvirt.ends('operation aborted: migration out: canceled by client');
    await settled();
    expect(outcomes()).toEqual(['aborted', 'aborted']);
  });

  it('goes on aborting what has not begun yet', async () => {
    await begin();
    libvirt.isSending = false;
    await host.hypervisor.abort(order({ action: 'abort' }));
    expect(outcomes()).toEqual([]);
    libvirt.isSending = true;
    await after(500);
    expect(outcomes()).toEqual(['aborted']);
  });

  it('completes when it is too late to abort', async () => {
    await begin();
    libvirt.isSending = false;
    await host.hypervisor.abort(order({ action: 'abort' }));
    libvirt.ends();
    await settled();
    expect(outcomes()).toEqual(['completed']);
  });

  it('answers an abort of what never began', async () => {
    await host.hypervisor.abort(order({ action: 'abort' }));
    expect(outcomes()).toEqual(['aborted']);
  });

  it.each([
    ['is not there', () => void (libvirt.web = null), 'failed', 'no domain'],
    ['is shut off', () => void (libvirt.web = { state: 5, reason: 1 }), 'failed', 'shut off'],
    ['has not arrived', () => void (libvirt.web = PAUSED_MIGRATING), 'failed', 'not arrived'],
    ['is being moved', () => void (libvirt.isSending = true), 'unknown', 'somebody else'],
    ['has left', () => void (libvirt.web = SHUT_OFF_MIGRATED), 'unknown', 'by somebody else'],
    ['can’t be asked about', () => void (libvirt.isUp = false), 'failed', 'failed to connect'],
  ])('begins nothing with a guest that %s', async (_what, make, outcome, reason) => {
    make();
    libvirt.lifecycle('Resumed Unpaused');
    await settled();
    await begin();
    expect(host.said).toMatchObject([{ outcome, reason: expect.stringContaining(reason) }]);
    expect(libvirt.of('migrate --live')).toEqual([]);
    // What is not known to have stayed is not begun by the next run either.
    expect(host.disk).toHaveLength(outcome === 'unknown' ? 1 : 0);
  });

  it.each(['is still on its way', 'has gone'])(
    'says of no later order under the same id that it completed, when the guest %s',
    async (how) => {
      libvirt.isPersistent = true;
      const west = order({ destination: 'west' as HostName });
      const given = async (): Promise<void> => {
        host.hypervisor.standing([west]);
        await host.hypervisor.migrate(west);
        await settled();
      };
      host.hypervisor.standing([order()]);
      await begin();
      if (how === 'has gone') libvirt.leaves();
      await given();
      if (how !== 'has gone') libvirt.leaves();
      await settled();
      libvirt.tell('job-completed', '');
      for (const line of ['operation: 5', 'downtime: 93', 'downtime_net: 71']) libvirt.goesOn(line);
      await given();
      await restarted();
      await given();
      const said = host.said.filter((s) => s.destination === 'west').map((s) => s.outcome);
      expect(said).toEqual(['unknown', 'unknown', 'unknown']);
    },
  );

  it('says that it does not know when libvirt dies, and what became of it when it is back', async () => {
    await begin();
    libvirt.dies();
    await settled();
    expect(outcomes()).toEqual(['unknown']);
    await after(250);
    expect(outcomes()).toEqual(['unknown']);
    libvirt.isUp = true;
    await after(500);
    await after(1_000);
    expect(outcomes()).toEqual(['unknown', 'failed']);
    expect(host.said[1]?.reason).toContain('End of file');
  });

  it('follows what an earlier run began, to either end', async () => {
    await begin();
    await restarted();
    await begin();
    expect(outcomes()).toEqual(['started']);
    await after(500);
    libvirt.web = null;
    libvirt.isSending = false;
    libvirt.lifecycle('Stopped Migrated');
    expect(outcomes()).toEqual(['started', 'completed']);
    expect(libvirt.of('migrate --live')).toHaveLength(1);
  });

  it('takes what an earlier run began for failed when the guest is here and stays', async () => {
    await begin();
    await restarted();
    libvirt.isSending = false;
    await begin();
    expect(outcomes()).toEqual([]);
    await after(2_000);
    expect(outcomes()).toEqual(['failed']);
  });

  it('lets go of what an earlier run may have left slow', async () => {
    await begin({ held: true });
    await restarted();
    await begin();
    host.hypervisor.standing([order()]);
    await settled();
    expect(libvirt.of('migrate-setspeed')).toHaveLength(1);
  });

  it('does not know of a guest that an earlier run sent and that is gone', async () => {
    await begin();
    await restarted();
    libvirt.web = null;
    libvirt.isSending = false;
    await restarted();
    await begin();
    expect(host.said).toMatchObject([{ outcome: 'unknown', reason: expect.stringContaining('no domain') }]);
  });

  it('takes a guest that is shut off as migrated for moved', async () => {
    await begin();
    await restarted();
    libvirt.isSending = false;
    libvirt.web = SHUT_OFF_MIGRATED;
    await begin();
    expect(outcomes()).toEqual(['completed']);
  });

  it('refuses to move a guest for two migrations at once', async () => {
    await begin();
    await host.hypervisor.migrate(order({ migration: 'm2' as MigrationId }));
    expect(host.said).toMatchObject([
      { migration: 'm2', outcome: 'failed', reason: expect.stringContaining('m1') },
    ]);
  });

  it('asks for nothing that the disk did not take', async () => {
    host.onWrite = () => Promise.reject(new Error('disk full'));
    await expect(host.hypervisor.migrate(order())).rejects.toThrow('disk full');
    expect(libvirt.of('migrate --live')).toEqual([]);
  });
});
