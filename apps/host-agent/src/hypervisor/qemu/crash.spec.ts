import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { settle } from '../../agent.fixture.js';
import { type FakeQemu } from './fake-qemu.fixture.js';
import { asked, order, QemuHost, SOUTH } from './qemu-host.fixture.js';

const COMMANDS = ['query-migrate', 'query-status', 'migrate-set-capabilities', 'migrate-set-parameters'];

let host: QemuHost;

beforeEach(async () => {
  host = await QemuHost.start();
  await host.until(() => host.hypervisor.vms().length > 0);
});

afterEach(() => host.stop());

/**
 * The agent is killed at every place where it waits: before QEMU or the disk has done what it was asked, or after, with
 * the answer under way. The next run is given what stands in the log, and it must come out as if nothing had been.
 */
describe('an agent that is killed', () => {
  const MOMENTS = ['before', 'after'] as const;
  type Moment = (typeof MOMENTS)[number];
  const moments = (...commands: readonly string[]): [Moment, string][] =>
    commands.flatMap((command) => MOMENTS.map((moment): [Moment, string] => [moment, command]));

  /** Kills it the next time that it comes there; resolves when it is dead. */
  const killed = (moment: Moment, command: string): Promise<void> =>
    new Promise((resolve) => {
      const kill = (): Promise<void> => {
        host.qemu.onCommand = () => true;
        host.onWrite = () => Promise.resolve();
        return host.hypervisor.close().then(resolve);
      };
      host.qemu.onCommand = (now, when) => {
        if (now !== command || when !== moment) return true;
        void kill();
        return false;
      };
      if (command !== 'disk') return;
      host.onWrite = async () => {
        if (moment === 'after') host.disk = [{ ...asked, before: before(host.qemu) }];
        await kill();
        // What is asked of the disk after this is asked by nobody.
        await new Promise<never>(() => undefined);
      };
    });
  const before = ({ migration }: FakeQemu): string =>
    [migration['status'] ?? 'none', migration['error-desc'] ?? '', ''].join('|');
  const gone = (): void => {
    host.qemu.runState = 'postmigrate';
    host.qemu.becomes('completed', { 'total-time': 9 });
  };
  const again = async (given = order()): Promise<void> => {
    await host.run();
    host.hypervisor.standing([given]);
    if (given.action === 'start') await host.hypervisor.migrate(given, SOUTH);
    else await host.hypervisor.abort(given);
  };

  /** What QEMU keeps of an earlier life must not be taken for what became of the order. */
  const PASTS = {
    'never moved': {},
    'has arrived here': { status: 'completed' },
    'was to be moved before, and that failed': { status: 'failed', 'error-desc': 'Broken pipe' },
    'was to be moved before, and that was called off': { status: 'cancelled' },
  };

  describe.each(Object.entries(PASTS))('on a host whose guest %s', (_what, past) => {
    it.each(moments(...COMMANDS, 'disk', 'migrate'))(
      '%s %s: the guest is moved, once',
      async (moment, command) => {
        host.qemu.migration = past;
        const dead = killed(moment, command);
        void host.hypervisor.migrate(order(), SOUTH);
        await dead;
        await again();
        await host.words(1);
        gone();
        await host.words(2);
        expect([host.outcomes, host.qemu.of('migrate').length]).toEqual([['started', 'completed'], 1]);
      },
    );

    it.each(moments('query-migrate', 'query-status'))(
      '%s %s while it moves, which ends meanwhile: that is told',
      async (moment, command) => {
        host.qemu.migration = past;
        await host.hypervisor.migrate(order(), SOUTH);
        await host.words(1);
        await host.hypervisor.close();
        await host.run();
        const dead = killed(moment, command);
        void host.hypervisor.migrate(order(), SOUTH);
        await dead;
        gone();
        await again();
        await host.words(2);
        expect([host.outcomes.at(-1), host.qemu.of('migrate').length]).toEqual(['completed', 1]);
      },
    );

    it.each(moments('migrate_cancel', 'query-migrate', 'query-status'))(
      '%s %s while that is called off: it is',
      async (moment, command) => {
        host.qemu.migration = past;
        await host.hypervisor.migrate(order(), SOUTH);
        await host.words(1);
        await host.hypervisor.close();
        await host.run();
        const dead = killed(moment, command);
        void host.hypervisor.abort(order(1, 'abort'));
        await dead;
        await again(order(1, 'abort'));
        await host.words(2);
        expect([host.outcomes.at(-1), host.qemu.migration['status']]).toEqual(['aborted', 'cancelled']);
      },
    );
  });

  it.each(moments('query-migrate', 'query-status', 'quit', 'disk'))(
    '%s %s, when the log has it that the guest moved: its QEMU is ended, and the order forgotten',
    async (moment, command) => {
      await host.hypervisor.migrate(order(), SOUTH);
      gone();
      await host.words(2);
      const dead = killed(moment, command);
      if (command === 'disk') host.onWrite = dropping(host.onWrite, moment);
      host.hypervisor.standing([]);
      await dead;
      if (command === 'quit' && moment === 'after') await host.qemu.die();
      await host.run();
      host.hypervisor.standing([]);
      await host.until(() => host.disk.length === 0);
      const isEnded = host.qemu.of('quit').length > 0;
      expect(isEnded).toBe(true);
    },
  );

  /** The disk has taken that the order is forgotten, or has not. */
  const dropping =
    (kill: () => Promise<void>, moment: Moment): (() => Promise<void>) =>
    async () => {
      const left = moment === 'after' ? [] : host.disk;
      const done = kill();
      host.disk = left;
      await done;
    };

  it('does nothing any more', async () => {
    const dead = killed('after', 'migrate-set-parameters');
    void host.hypervisor.migrate(order(), SOUTH);
    await dead;
    await settle();
    expect(host.qemu.of('migrate')).toEqual([]);
  });
});

describe('an order that goes while QEMU is asked', () => {
  it.each(COMMANDS)('in %s is not carried out', async (command) => {
    host.qemu.onCommand = (now, when) => {
      if (now === command && when === 'after') host.hypervisor.standing([]);
      return true;
    };
    host.hypervisor.standing([order()]);
    await host.hypervisor.migrate(order(), SOUTH);
    await settle();
    expect([host.qemu.of('migrate'), host.outcomes]).toEqual([[], []]);
  });

  it('is not carried out when the disk does not take it, and says why', async () => {
    host.onWrite = () => Promise.reject(new Error('no space left on device'));
    await host.hypervisor.migrate(order(), SOUTH);
    expect(host.said).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('no space left') },
    ]);
    host.onWrite = () => Promise.resolve();
    await host.hypervisor.migrate(order(2), SOUTH);
    await host.words(2);
    expect(host.outcomes).toEqual(['failed', 'started']);
  });

  it.each([...COMMANDS, 'migrate'])('as an abort in %s is aborted, whatever came of it', async (command) => {
    host.qemu.onCommand = (now, when) => {
      if (now === command && when === 'after') void host.hypervisor.abort(order(1, 'abort'));
      return true;
    };
    await host.hypervisor.migrate(order(), SOUTH);
    await host.until(() => host.outcomes.includes('aborted'));
    expect(host.qemu.of('migrate_cancel')).toHaveLength(command === 'migrate' ? 1 : 0);
  });

  it('calls off what still copies, against the log', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    const called = host.qemu.next('migrate_cancel');
    host.hypervisor.standing([]);
    await called;
    await host.until(() => host.disk.length === 0);
  });

  it('is told of when the monitor, which had not answered, is there again', async () => {
    await host.hypervisor.migrate(order(), SOUTH);
    await host.words(1);
    await host.qemu.die();
    await host.words(2);
    host.qemu.migration = { status: 'cancelled' };
    await host.qemu.listen();
    await host.words(3);
    expect(host.outcomes).toEqual(['started', 'unknown', 'aborted']);
  });
});
