import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { ManualClock } from '../../agent.fixture.js';
import { type MigrationOutcome } from '../hypervisor.js';
import { Moves, type Asked } from '../moves.js';
import { FakeLibvirt, PAUSED_MIGRATING, SHUT_OFF_MIGRATED, WEB } from './fake-libvirt.fixture.js';
import { LibvirtHypervisor } from './hypervisor.js';

const order = (more: Partial<MigrationOrder> = {}): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt: 1,
  action: 'start',
  owner: WEB,
  destination: 'south' as HostName,
  ...more,
});
const settings = {
  uri: 'qemu:///system',
  destination: 'qemu+tls://{host}/system',
  migrateUri: 'tcp://{host}',
  options: [],
};

describe('libvirt', () => {
  let libvirt: FakeLibvirt;
  let clock: ManualClock;
  let disk: readonly Asked[];
  let hypervisor: LibvirtHypervisor;
  let said: MigrationOutcome[];
  let onSaid: (() => void) | null;

  beforeEach(async () => {
    libvirt = new FakeLibvirt();
    clock = new ManualClock();
    disk = [];
    said = [];
    onSaid = null;
    hypervisor = await run();
  });

  afterEach(() => hypervisor.close());

  /** A run of the agent, with what earlier ones left on disk. */
  async function run(): Promise<LibvirtHypervisor> {
    const made = new LibvirtHypervisor({
      settings,
      virsh: libvirt,
      moves: new Moves((asked) => Promise.resolve(void (disk = structuredClone(asked))), disk),
      clock,
      random: () => 0.5,
      log: { info: () => undefined, warn: () => undefined },
    });
    made.watch((outcome) => {
      said.push(outcome);
      onSaid?.();
    });
    await made.start();
    await settled();
    return made;
  }

  /** Everything that only waits for answers that are there has happened. */
  async function settled(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }
  const after = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settled();
  };
  /** The agent dies and comes back; libvirt goes on. */
  const restarted = async (): Promise<void> => {
    const left = libvirt.isSending;
    await hypervisor.close();
    libvirt.isSending = left;
    hypervisor = await run();
  };
  const outcomes = () => said.map((s) => s.outcome);
  const begin = async (more: Partial<MigrationOrder> = {}): Promise<void> => {
    await hypervisor.migrate(order(more));
    await settled();
  };

  it('knows its guests and what they do', async () => {
    expect(hypervisor.vms()).toEqual([{ owner: WEB, state: 'running' }]);
    libvirt.web = PAUSED_MIGRATING;
    libvirt.lifecycle('Suspended Migrated');
    await settled();
    expect(hypervisor.vms()).toEqual([{ owner: WEB, state: 'incoming' }]);
    libvirt.web = null;
    libvirt.lifecycle('Stopped Destroyed');
    await settled();
    expect(hypervisor.vms()).toEqual([]);
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
    expect([hypervisor.presence(WEB), hypervisor.presence('web'), hypervisor.presence('db')]).toEqual([
      presence,
      presence,
      'unknown',
    ]);
  });

  it('remembers of a transient guest that it left, until it is back', async () => {
    // A look that began before sees it still.
    libvirt.lifecycle('Suspended Migrated');
    libvirt.web = null;
    libvirt.lifecycle('Stopped Migrated');
    await settled();
    expect(hypervisor.presence(WEB)).toBe('left');
    libvirt.web = { state: 1, reason: 2 };
    libvirt.lifecycle('Resumed Migrated');
    await settled();
    expect(hypervisor.presence(WEB)).toBe('runs');
  });

  it('moves a guest: asked once, and its words are told', async () => {
    await begin();
    expect(libvirt.of('migrate --live')).toEqual([
      `migrate --live --p2p --migrateuri tcp://south --domain ${WEB} --desturi qemu+tls://south/system`,
    ]);
    expect(disk).toMatchObject([{ key: 'm1/1', owner: WEB }]);
    libvirt.tell('migration-iteration', "iteration: '1'");
    expect(hypervisor.vms()).toEqual([{ owner: WEB, state: 'running', migration: 'm1' }]);
    await begin();
    libvirt.ends();
    await settled();
    expect(outcomes()).toEqual(['started', 'started', 'completed']);
    expect(libvirt.of('migrate --live')).toHaveLength(1);
    hypervisor.standing([]);
    await settled();
    expect(disk).toEqual([]);
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
    hypervisor.standing([order({ held: true })]);
    await settled();
    expect(libvirt.of('migrate-setspeed')).toEqual([]);
    libvirt.refusesSpeed = true;
    hypervisor.standing([order()]);
    await settled();
    libvirt.refusesSpeed = false;
    await after(500);
    await after(500);
    expect(libvirt.of('migrate-setspeed')).toEqual(Array(2).fill(`migrate-setspeed ${WEB} 8796093022207`));
  });

  it('lets go once memory is copied: what is set before that does not last', async () => {
    await begin({ held: true });
    hypervisor.standing([order()]);
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
    expect(said).toMatchObject([{ outcome: 'failed', reason: expect.stringContaining('bridge pt-lan') }]);
  });

  it('aborts when that is asked, by whoever does', async () => {
    await begin();
    await hypervisor.abort(order({ action: 'abort' }));
    await settled();
    await begin({ attempt: 2 });
    libvirt.ends('operation aborted: migration out: canceled by client');
    await settled();
    expect(outcomes()).toEqual(['aborted', 'aborted']);
  });

  it('goes on aborting what has not begun yet', async () => {
    await begin();
    libvirt.isSending = false;
    await hypervisor.abort(order({ action: 'abort' }));
    expect(outcomes()).toEqual([]);
    libvirt.isSending = true;
    await after(500);
    expect(outcomes()).toEqual(['aborted']);
  });

  it('completes when it is too late to abort', async () => {
    await begin();
    libvirt.isSending = false;
    await hypervisor.abort(order({ action: 'abort' }));
    libvirt.ends();
    await settled();
    expect(outcomes()).toEqual(['completed']);
  });

  it('answers an abort of what never began', async () => {
    await hypervisor.abort(order({ action: 'abort' }));
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
    expect(said).toMatchObject([{ outcome, reason: expect.stringContaining(reason) }]);
    expect(libvirt.of('migrate --live')).toEqual([]);
    // What is not known to have stayed is not begun by the next run either.
    expect(disk).toHaveLength(outcome === 'unknown' ? 1 : 0);
  });

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
    expect(said[1]?.reason).toContain('End of file');
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
    hypervisor.standing([order()]);
    await settled();
    expect(libvirt.of('migrate-setspeed')).toHaveLength(1);
  });

  it('does not know of a guest that an earlier run sent and that is gone', async () => {
    await begin();
    await restarted();
    libvirt.web = null;
    libvirt.isSending = false;
    await hypervisor.close();
    hypervisor = await run();
    await begin();
    expect(said).toMatchObject([{ outcome: 'unknown', reason: expect.stringContaining('no domain') }]);
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
    await hypervisor.migrate(order({ migration: 'm2' as MigrationId }));
    expect(said).toMatchObject([
      { migration: 'm2', outcome: 'failed', reason: expect.stringContaining('m1') },
    ]);
  });

  it('asks for nothing that the disk did not take', async () => {
    await hypervisor.close();
    hypervisor = new LibvirtHypervisor({
      settings,
      virsh: libvirt,
      moves: new Moves(() => Promise.reject(new Error('disk full')), []),
      clock,
      random: () => 0.5,
      log: { info: () => undefined, warn: () => undefined },
    });
    await hypervisor.start();
    await expect(hypervisor.migrate(order())).rejects.toThrow('disk full');
    expect(libvirt.of('migrate --live')).toEqual([]);
  });
});
