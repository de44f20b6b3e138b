import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostName } from '#kernel';
import { aboutOrder } from '../moves.js';
import { FakeQemu, refused } from './fake-qemu.fixture.js';
import { asked, order, QemuHost, SOUTH } from './qemu-host.fixture.js';

describe('QEMU by its monitor', () => {
  let host: QemuHost;

  beforeEach(async () => {
    host = await QemuHost.start();
  });

  afterEach(() => host.stop());

  it('moves a guest: asked once, with the URI and the downtime, and its words are told', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    expect(host.qemu.of('migrate')).toEqual([{ uri: 'unix:/run/south/web.migrate' }]);
    expect(host.qemu.of('migrate-set-parameters')).toEqual([{ 'downtime-limit': 50 }]);
    expect(host.hypervisor.vms()).toEqual([{ owner: 'web', state: 'running', migration: 'm1' }]);
    await host.hypervisor.migrate(order(), SOUTH);
    host.qemu.becomes('completed', { downtime: 7 });
    await host.words(3);
    expect(host.outcomes).toEqual(['started', 'started', 'completed']);
    expect(host.said[2]).toEqual({ ...aboutOrder(order()), outcome: 'completed', pauseMs: 7 });
    expect(host.qemu.of('migrate')).toHaveLength(1);
  });

  it.each([undefined, null, '7', -1, 1.5, 1e300])('tells no pause of %p', async (downtime) => {
    await host.hypervisor.migrate(order(), SOUTH);
    host.qemu.becomes('completed', { downtime });
    await host.words(2);
    expect(host.said[1]).toEqual({ ...aboutOrder(order()), outcome: 'completed' });
  });

  it('says that the guest has moved, if its QEMU went before it could be asked for the pause', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    const looks = host.qemu.of('query-migrate').length;
    host.qemu.isMute = true;
    host.qemu.becomes('completed', { downtime: 7 });
    await host.until(() => host.qemu.of('query-migrate').length > looks);
    await host.qemu.die();
    await host.words(2);
    expect(host.outcomes).toEqual(['started', 'completed']);
  });

  it('ends the QEMU of a guest that moved away when the order is gone, and no other', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    host.hypervisor.standing([order()]);
    host.qemu.runState = 'postmigrate';
    host.qemu.becomes('completed');
    await host.words(2);
    expect(host.disk).toEqual([asked]);
    const ended = host.qemu.next('quit');
    host.hypervisor.standing([]);
    await ended;
    await host.until(() => host.disk.length === 0);
  });

  it('takes what it remembers of a move for nothing that is said of another under the same id', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    host.hypervisor.standing([order()]);
    await host.words(1);
    const west = order(1, 'start', { destination: 'west' as HostName });
    const calledOff = host.qemu.next('migrate_cancel');
    // As the agent follows its document: first what stands.
    host.hypervisor.standing([west]);
    await calledOff;
    await host.until(() => host.disk.length === 0);
    await host.hypervisor.migrate(west, west.destination);
    await host.words(2);
    expect(host.said).toEqual([
      { ...aboutOrder(order()), outcome: 'started' },
      { ...aboutOrder(west), outcome: 'started' },
    ]);
    expect(host.qemu.of('migrate')).toHaveLength(2);
  });

  it('leaves a QEMU alone that somebody let run again, also one that never moved', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    host.qemu.becomes('completed');
    await host.words(2);
    const asked = host.qemu.next('query-status');
    host.hypervisor.standing([]);
    await asked;
    // Answered in order: had it been ended, it would be known by now.
    await host.hypervisor.migrate(order(2), SOUTH);
    expect(host.qemu.of('quit')).toEqual([]);
  });

  it('tries a destination that does not listen yet again, until it does or patience ends', async () => {
    let attempts = 0;
    host.qemu.onMigrate = () => {
      attempts += 1;
      if (attempts < 3) host.qemu.becomes('failed', { 'error-desc': 'Failed to connect to socket' });
      else host.qemu.becomes('active');
      return { return: {} };
    };
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    expect([host.outcomes, attempts]).toEqual([['started'], 3]);
    await host.hypervisor.close();
    host.disk = [];
    attempts = -1_000;
    await host.run({ patienceMs: 0 });
    host.qemu.becomes('none');
    await host.hypervisor.migrate(order(2), SOUTH);
    await host.words(2);
    expect(host.said[1]).toMatchObject({
      outcome: 'failed',
      reason: 'Failed to connect to socket',
      attempt: 2,
    });
  });

  it('fails with QEMU’s reason, at once or after it had begun', async () => {
    host.qemu.onMigrate = () => refused('State blocked by non-migratable device');
    await host.hypervisor.migrate(order(), SOUTH);
    expect(host.said).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('non-migratable') },
    ]);
    host.qemu.onMigrate = () => {
      host.qemu.becomes('active');
      return { return: {} };
    };
    await host.hypervisor.migrate(order(2), SOUTH);
    await host.words(2);
    host.qemu.becomes('failed', { 'error-desc': 'Failed to connect the pipe' });
    await host.words(3);
    expect(host.said[2]).toMatchObject({
      outcome: 'failed',
      reason: 'Failed to connect the pipe',
      attempt: 2,
    });
  });

  it('aborts what copies, and what waits for its destination', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    await host.hypervisor.abort(order(1, 'abort'));
    await host.words(2);
    expect(host.outcomes).toEqual(['started', 'aborted']);
    host.qemu.onMigrate = () => {
      host.qemu.becomes('failed', { 'error-desc': 'Failed to connect to socket' });
      return { return: {} };
    };
    const failed = host.qemu.next('query-migrate');
    await host.hypervisor.migrate(order(2), SOUTH);
    await failed;
    await host.hypervisor.abort(order(2, 'abort'));
    await host.words(3);
    expect(host.said[2]).toMatchObject({ outcome: 'aborted', attempt: 2 });
  });

  it('does not take an abort that came too late for one that succeeded', async () => {
    host.qemu.onCancel = () => {
      host.qemu.becomes('completed');
      return { return: {} };
    };
    await host.hypervisor.migrate(order(), SOUTH);
    await host.hypervisor.abort(order(1, 'abort'));
    await host.words(2);
    expect(host.outcomes).toEqual(['started', 'completed']);
  });

  it('is unknown when the monitor goes, and known again when it comes back', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    await host.qemu.die();
    await host.words(2);
    expect(host.said[1]).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringContaining('can’t be asked'),
    });
    expect(host.hypervisor.vms()).toEqual([]);
    const back = new FakeQemu(host.qemu.path);
    back.migration = { status: 'completed' };
    back.runState = 'postmigrate';
    host.qemu = await back.listen();
    await host.words(3);
    expect(host.said[2]).toMatchObject({ outcome: 'completed' });
  });

  it.each([
    ['active', 'running', ['started']],
    ['completed', 'postmigrate', ['completed']],
    ['completed', 'running', ['unknown']],
    ['failed', 'running', ['failed']],
    ['cancelled', 'running', ['aborted']],
  ])('a new run finds the order %s (%s), and asks for nothing', async (status, runState, told) => {
    await host.hypervisor.close();
    host.disk = [asked];
    host.qemu.migration = { status, 'error-desc': 'why' };
    host.qemu.runState = runState;
    await host.run();
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    expect(host.outcomes).toEqual(told);
    expect(host.qemu.of('migrate')).toEqual([]);
  });

  it('a new run asks where an earlier one died before it had asked', async () => {
    await host.hypervisor.close();
    host.disk = [asked];
    await host.run();
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    expect(host.qemu.of('migrate')).toHaveLength(1);
  });

  it('a new run cancels what an earlier one began', async () => {
    await host.hypervisor.close();
    host.disk = [asked];
    host.qemu.migration = { status: 'active' };
    await host.run();
    await host.hypervisor.abort(order(1, 'abort'));
    await host.words(1);
    expect(host.outcomes).toEqual(['aborted']);
  });

  it.each([
    ['is moved by hand', { status: 'active' }, 'running', 'unknown'],
    ['was moved away by hand', { status: 'completed' }, 'postmigrate', 'unknown'],
    ['has not arrived', {}, 'inmigrate', 'failed'],
  ])('does not touch a guest that %s', async (_what, migration, runState, told) => {
    host.qemu.migration = migration;
    host.qemu.runState = runState;
    await host.hypervisor.migrate(order(), SOUTH);
    expect(host.outcomes).toEqual([told]);
    expect(host.qemu.of('migrate')).toEqual([]);
    expect(host.disk).toEqual([]);
  });

  it('a guest without a monitor was never asked, or is unknown', async () => {
    await host.qemu.die();
    await rm(host.qemu.path, { force: true });
    await host.hypervisor.close();
    await host.run();
    await host.hypervisor.migrate(order(), SOUTH);
    expect(host.said[0]).toMatchObject({ outcome: 'failed', reason: 'no web.qmp is there' });
    await host.hypervisor.close();
    host.disk = [asked];
    await host.run();
    await host.hypervisor.migrate(order(), SOUTH);
    expect(host.said[1]).toMatchObject({ outcome: 'unknown' });
  });

  it('sees QEMUs come, and names the state of each', async () => {
    const other = new FakeQemu(join(host.dir, 'db.qmp'));
    other.runState = 'inmigrate';
    await other.listen();
    while (host.hypervisor.vms().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(host.hypervisor.vms()).toContainEqual({ owner: 'db', state: 'incoming' });
    other.runState = 'running';
    other.event('RESUME');
    while (!host.hypervisor.vms().some((v) => v.owner === 'db' && v.state === 'running'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await other.die();
  });

  it('does not put a name into a URI that could mean more than a name', async () => {
    await host.hypervisor.migrate({ ...order(), owner: 'x;y' }, SOUTH);
    expect(host.outcomes).toEqual(['failed']);
  });
});
