import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type MigrationOutcome } from '../hypervisor.js';
import { FakeQemu, refused } from './fake-qemu.fixture.js';
import { QemuHypervisor } from './hypervisor.js';
import { Moves, type Asked } from './moves.js';

const SOUTH = 'south' as HostName;
const order = (attempt = 1, action: 'start' | 'abort' = 'start'): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt,
  action,
  owner: 'web',
  destination: SOUTH,
});

describe('QEMU by its monitor', () => {
  let dir: string;
  let qemu: FakeQemu;
  let disk: readonly Asked[];
  let hypervisor: QemuHypervisor;
  let said: MigrationOutcome[];
  let onSaid: (() => void) | null;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ptl-qemu-'));
    qemu = await new FakeQemu(join(dir, 'web.qmp')).listen();
    disk = [];
    said = [];
    onSaid = null;
    hypervisor = await run();
  });

  afterEach(async () => {
    await hypervisor.close();
    await qemu.die();
    await rm(dir, { recursive: true, force: true });
  });

  /** A run of the agent, with what earlier ones left on disk. */
  async function run(patienceMs = 30_000): Promise<QemuHypervisor> {
    const made = new QemuHypervisor({
      settings: { monitors: dir, migrateUri: 'unix:/run/{host}/{vm}.migrate', downtimeMs: 50, patienceMs },
      moves: new Moves((asked) => Promise.resolve(void (disk = structuredClone(asked))), disk),
      clock: systemClock,
      log: { info: () => undefined, warn: () => undefined },
    });
    made.watch((outcome) => {
      said.push(outcome);
      onSaid?.();
    });
    await made.start();
    return made;
  }

  const outcomes = () => said.map((s) => s.outcome);
  /** Resolves when so many words were said. */
  const words = async (count: number): Promise<void> => {
    while (said.length < count) await new Promise<void>((resolve) => (onSaid = resolve));
  };

  it('moves a guest: asked once, with the URI and the downtime, and its words are told', async () => {
    await hypervisor.migrate(order(), SOUTH);
    await words(1);
    expect(qemu.of('migrate')).toEqual([{ uri: 'unix:/run/south/web.migrate' }]);
    expect(qemu.of('migrate-set-parameters')).toEqual([{ 'downtime-limit': 50 }]);
    expect(hypervisor.vms()).toEqual([{ owner: 'web', state: 'running', migration: 'm1' }]);
    await hypervisor.migrate(order(), SOUTH);
    qemu.becomes('completed');
    await words(3);
    expect(outcomes()).toEqual(['started', 'started', 'completed']);
    expect(qemu.of('migrate')).toHaveLength(1);
  });

  it('ends the QEMU of a guest that moved away when the order is gone, and no other', async () => {
    await hypervisor.migrate(order(), SOUTH);
    hypervisor.standing([order()]);
    qemu.runState = 'postmigrate';
    qemu.becomes('completed');
    await words(2);
    expect(disk).toEqual([{ key: 'm1/1', owner: 'web' }]);
    const ended = qemu.next('quit');
    hypervisor.standing([]);
    await ended;
    expect(disk).toEqual([]);
  });

  it('leaves a QEMU alone that somebody let run again, also one that never moved', async () => {
    await hypervisor.migrate(order(), SOUTH);
    qemu.becomes('completed');
    await words(2);
    const asked = qemu.next('query-status');
    hypervisor.standing([]);
    await asked;
    // Answered in order: had it been ended, it would be known by now.
    await hypervisor.migrate(order(2), SOUTH);
    expect(qemu.of('quit')).toEqual([]);
  });

  it('tries a destination that does not listen yet again, until it does or patience ends', async () => {
    let attempts = 0;
    qemu.onMigrate = () => {
      attempts += 1;
      if (attempts < 3) qemu.becomes('failed', { 'error-desc': 'Failed to connect to socket' });
      else qemu.becomes('active');
      return { return: {} };
    };
    await hypervisor.migrate(order(), SOUTH);
    await words(1);
    expect([outcomes(), attempts]).toEqual([['started'], 3]);
    await hypervisor.close();
    disk = [];
    attempts = -1_000;
    hypervisor = await run(0);
    qemu.becomes('none');
    await hypervisor.migrate(order(2), SOUTH);
    await words(2);
    expect(said[1]).toMatchObject({ outcome: 'failed', reason: 'Failed to connect to socket', attempt: 2 });
  });

  it('fails with QEMU’s reason, at once or after it had begun', async () => {
    qemu.onMigrate = () => refused('State blocked by non-migratable device');
    await hypervisor.migrate(order(), SOUTH);
    expect(said).toMatchObject([{ outcome: 'failed', reason: expect.stringContaining('non-migratable') }]);
    qemu.onMigrate = () => {
      qemu.becomes('active');
      return { return: {} };
    };
    await hypervisor.migrate(order(2), SOUTH);
    await words(2);
    qemu.becomes('failed', { 'error-desc': 'Failed to connect the pipe' });
    await words(3);
    expect(said[2]).toMatchObject({ outcome: 'failed', reason: 'Failed to connect the pipe', attempt: 2 });
  });

  it('aborts what copies, and what waits for its destination', async () => {
    await hypervisor.migrate(order(), SOUTH);
    await hypervisor.abort(order(1, 'abort'));
    await words(2);
    expect(outcomes()).toEqual(['started', 'aborted']);
    qemu.onMigrate = () => {
      qemu.becomes('failed', { 'error-desc': 'Failed to connect to socket' });
      return { return: {} };
    };
    const failed = qemu.next('query-migrate');
    await hypervisor.migrate(order(2), SOUTH);
    await failed;
    await hypervisor.abort(order(2, 'abort'));
    await words(3);
    expect(said[2]).toMatchObject({ outcome: 'aborted', attempt: 2 });
  });

  it('does not take an abort that came too late for one that succeeded', async () => {
    qemu.onCancel = () => {
      qemu.becomes('completed');
      return { return: {} };
    };
    await hypervisor.migrate(order(), SOUTH);
    await hypervisor.abort(order(1, 'abort'));
    await words(2);
    expect(outcomes()).toEqual(['started', 'completed']);
  });

  it('is unknown when the monitor goes, and known again when it comes back', async () => {
    await hypervisor.migrate(order(), SOUTH);
    await words(1);
    await qemu.die();
    await words(2);
    expect(said[1]).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('can’t be asked') });
    expect(hypervisor.vms()).toEqual([]);
    const back = new FakeQemu(qemu.path);
    back.migration = { status: 'completed' };
    back.runState = 'postmigrate';
    qemu = await back.listen();
    await words(3);
    expect(said[2]).toMatchObject({ outcome: 'completed' });
  });

  it.each([
    ['active', 'running', ['started']],
    ['completed', 'postmigrate', ['completed']],
    ['completed', 'running', ['unknown']],
    ['failed', 'running', ['failed']],
    ['cancelled', 'running', ['aborted']],
  ])('a new run finds the order %s (%s), and asks for nothing', async (status, runState, told) => {
    await hypervisor.close();
    disk = [{ key: 'm1/1', owner: 'web' }];
    qemu.migration = { status, 'error-desc': 'why' };
    qemu.runState = runState;
    hypervisor = await run();
    await hypervisor.migrate(order(), SOUTH);
    await words(1);
    expect(outcomes()).toEqual(told);
    expect(qemu.of('migrate')).toEqual([]);
  });

  it('a new run asks where an earlier one died before it had asked', async () => {
    await hypervisor.close();
    disk = [{ key: 'm1/1', owner: 'web' }];
    hypervisor = await run();
    await hypervisor.migrate(order(), SOUTH);
    await words(1);
    expect(qemu.of('migrate')).toHaveLength(1);
  });

  it('a new run cancels what an earlier one began', async () => {
    await hypervisor.close();
    disk = [{ key: 'm1/1', owner: 'web' }];
    qemu.migration = { status: 'active' };
    hypervisor = await run();
    await hypervisor.abort(order(1, 'abort'));
    await words(1);
    expect(outcomes()).toEqual(['aborted']);
  });

  it.each([
    ['is moved by hand', { status: 'active' }, 'running', 'unknown'],
    ['was moved away by hand', { status: 'completed' }, 'postmigrate', 'unknown'],
    ['has not arrived', {}, 'inmigrate', 'failed'],
  ])('does not touch a guest that %s', async (_what, migration, runState, told) => {
    qemu.migration = migration;
    qemu.runState = runState;
    await hypervisor.migrate(order(), SOUTH);
    expect(outcomes()).toEqual([told]);
    expect(qemu.of('migrate')).toEqual([]);
    expect(disk).toEqual([]);
  });

  it('a guest without a monitor was never asked, or is unknown', async () => {
    await qemu.die();
    await rm(qemu.path, { force: true });
    await hypervisor.close();
    hypervisor = await run();
    await hypervisor.migrate(order(), SOUTH);
    expect(said[0]).toMatchObject({ outcome: 'failed', reason: 'no web.qmp is there' });
    await hypervisor.close();
    disk = [{ key: 'm1/1', owner: 'web' }];
    hypervisor = await run();
    await hypervisor.migrate(order(), SOUTH);
    expect(said[1]).toMatchObject({ outcome: 'unknown' });
  });

  it('sees QEMUs come, and names the state of each', async () => {
    const other = new FakeQemu(join(dir, 'db.qmp'));
    other.runState = 'inmigrate';
    await other.listen();
    while (hypervisor.vms().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(hypervisor.vms()).toContainEqual({ owner: 'db', state: 'incoming' });
    other.runState = 'running';
    other.event('RESUME');
    while (!hypervisor.vms().some((v) => v.owner === 'db' && v.state === 'running'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await other.die();
  });

  it('does not put a name into a URI that could mean more than a name', async () => {
    await hypervisor.migrate({ ...order(), owner: 'x;y' }, SOUTH);
    expect(outcomes()).toEqual(['failed']);
  });
});
