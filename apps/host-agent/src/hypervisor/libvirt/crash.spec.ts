import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { moveKey, type Asked } from '../moves.js';
import { type FakeLibvirt, WEB } from './fake-libvirt.fixture.js';
import { LibvirtHost, order } from './libvirt-host.fixture.js';

/** What virsh is asked for, by how it begins. */
const LIST = 'list --all';
const LOOK = 'domjobinfo';
const TERMS = 'dominfo';
const MIGRATE = 'migrate --live';
const SPEED = 'migrate-getspeed';
const FASTER = 'migrate-setspeed';
const ABORT = 'domjobabort';

const MOMENTS = ['before', 'after'] as const;
type Moment = (typeof MOMENTS)[number];
const moments = (...commands: readonly string[]): [Moment, string][] =>
  commands.flatMap((command) => MOMENTS.map((moment): [Moment, string] => [moment, command]));

const asked: Asked = { key: moveKey(order()), owner: WEB };
const stop = order({ action: 'abort' });

let host: LibvirtHost;
let libvirt: FakeLibvirt;

beforeEach(async () => {
  host = new LibvirtHost();
  libvirt = host.libvirt;
  await host.run();
});

afterEach(() => host.hypervisor.close());

/** As often as anything looks again: whatever can be seen has been. */
const seen = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await host.after(1_000);
};

/** What is done to it the next time that it comes there. */
const upon = (moment: Moment, command: string, happens: (text: string) => void): void => {
  libvirt.onCommand = (text, when) => {
    if (!text.startsWith(command) || when !== moment) return true;
    libvirt.onCommand = () => true;
    happens(text);
    return false;
  };
};

/**
 * The agent is killed at every place where it waits: before libvirt or the disk has done what it was asked, or after, with
 * the answer under way. The next run is given what stands in the log, and must neither move the guest twice nor lose it.
 */
describe('an agent that is killed', () => {
  const killed = (moment: Moment, command: string): void =>
    upon(moment, command, () => void host.hypervisor.close());
  const killedAtDisk = (moment: Moment, after: readonly Asked[]): void => {
    host.onWrite = async () => {
      if (moment === 'after') host.disk = after;
      host.onWrite = () => Promise.resolve();
      await host.hypervisor.close();
      // What is asked of the disk after this is asked by nobody.
      await new Promise<never>(() => undefined);
    };
  };
  const again = async (given = order()): Promise<void> => {
    await host.run();
    host.hypervisor.standing([given]);
    if (given.action === 'start') await host.hypervisor.migrate(given);
    else await host.hypervisor.abort(given);
    await host.settled();
  };
  const throughDeath = async (moment: Moment, command: string): Promise<void> => {
    killed(moment, command);
    if (command === LIST) await host.restarted();
    else void host.hypervisor.migrate(order());
    await host.settled();
    await again();
    libvirt.leaves();
  };
  const begun = (): number => libvirt.of(MIGRATE).length;

  it.each(moments(LIST, LOOK, TERMS))('%s %s: the guest is moved, once', async (moment, command) => {
    await throughDeath(moment, command);
    expect([host.outcomes, begun()]).toEqual([['completed'], 1]);
  });

  it('before the disk has its order: the guest is moved, once', async () => {
    killedAtDisk('before', []);
    void host.hypervisor.migrate(order());
    await host.settled();
    await again();
    libvirt.leaves();
    expect([host.outcomes, begun()]).toEqual([['completed'], 1]);
  });

  it.each(['the disk', MIGRATE])('between disk and libvirt, at %s: the guest stays', async (where) => {
    if (where === MIGRATE) killed('before', MIGRATE);
    else killedAtDisk('after', [asked]);
    void host.hypervisor.migrate(order());
    await host.settled();
    await again();
    await seen();
    expect([host.outcomes, begun()]).toEqual([['failed'], 0]);
  });

  it('when libvirt has begun: the guest is moved, once', async () => {
    killed('after', MIGRATE);
    void host.hypervisor.migrate(order());
    await host.settled();
    await again();
    libvirt.leaves();
    expect([host.outcomes, begun()]).toEqual([['started', 'completed'], 1]);
  });

  it('whose virsh lives on, and asks only after the next run has looked: the guest is moved, once', async () => {
    let stray = '';
    upon('before', MIGRATE, (text) => {
      stray = text;
      void host.hypervisor.close();
    });
    void host.hypervisor.migrate(order());
    await host.settled();
    await again();
    void libvirt.run([stray]);
    await seen();
    libvirt.leaves();
    expect([host.outcomes, begun()]).toEqual([['started', 'completed'], 1]);
  });

  it.each(moments(LIST, LOOK))('%s %s while it moves: how that ends is told', async (moment, command) => {
    await host.begin();
    await host.restarted();
    await throughDeath(moment, command);
    expect([host.outcomes, begun()]).toEqual([['started', 'completed'], 1]);
  });

  it.each([
    ['defined', true, 'completed'],
    ['not defined, so that nothing is left of it', false, 'unknown'],
  ])(
    'while a guest moves that is %s: as much as can be known is told',
    async (_what, isPersistent, outcome) => {
      libvirt.isPersistent = isPersistent;
      await host.begin();
      await host.hypervisor.close();
      libvirt.leaves();
      await again();
      await seen();
      expect([host.outcomes, begun()]).toEqual([[outcome], 1]);
    },
  );

  it.each(moments(SPEED, FASTER))(
    '%s %s: a move that may go is left slow by nobody',
    async (moment, command) => {
      await host.begin({ held: true });
      await host.restarted();
      await host.begin({ held: true });
      killed(moment, command);
      host.hypervisor.standing([order()]);
      await host.settled();
      const before = libvirt.of(FASTER).length;
      await again();
      expect(libvirt.of(FASTER)).toHaveLength(before + 1);
    },
  );

  it.each(moments(LOOK, ABORT))('%s %s while that is called off: it is', async (moment, command) => {
    await host.begin();
    await host.restarted();
    killed(moment, command);
    void host.hypervisor.abort(stop);
    await host.settled();
    await again(stop);
    await seen();
    expect([host.outcomes.at(-1), libvirt.isSending]).toEqual(['aborted', false]);
  });

  it.each(MOMENTS)('%s the disk has it that the order is answered: it is forgotten', async (moment) => {
    await host.begin();
    libvirt.leaves();
    killedAtDisk(moment, []);
    host.hypervisor.standing([]);
    await host.settled();
    await host.run();
    host.hypervisor.standing([]);
    await host.settled();
    expect([host.disk, begun()]).toEqual([[], 1]);
  });
});

/** libvirtd dies with what it was asked, and comes back: it has called off what was under way, the guest is here. */
describe('a libvirtd that dies', () => {
  const dies = (moment: Moment, command: string): void => upon(moment, command, () => libvirt.dies());
  const returns = async (): Promise<void> => {
    libvirt.isUp = true;
    await seen();
  };

  it.each([LOOK, TERMS])('at %s: nothing was begun, and why is said', async (command) => {
    libvirt.onCommand = (text, when) => {
      if (text.startsWith(command) && when === 'before') libvirt.dies();
      return true;
    };
    await host.begin();
    await returns();
    expect(host.said).toMatchObject([{ outcome: 'failed', reason: expect.stringContaining('connect') }]);
    expect(libvirt.of(MIGRATE)).toEqual([]);
  });

  it.each(moments(FASTER))('%s %s: what became of it is told', async (moment, command) => {
    await host.begin({ held: true });
    libvirt.tell('migration-iteration', "iteration: '1'");
    dies(moment, command);
    host.hypervisor.standing([order()]);
    await host.settled();
    expect(host.outcomes).toEqual(['started', 'unknown']);
    await returns();
    expect(host.outcomes).toEqual(['started', 'unknown', 'failed']);
  });

  it.each(moments(ABORT))('%s %s: what was to be called off is', async (moment, command) => {
    await host.begin();
    dies(moment, command);
    void host.hypervisor.abort(stop);
    await host.settled();
    await returns();
    expect(host.outcomes).toEqual(['unknown', 'aborted']);
  });

  it('when the guest has gone: that is told when it is known', async () => {
    libvirt.isPersistent = true;
    await host.begin();
    libvirt.dies();
    await host.settled();
    libvirt.web = { state: 5, reason: 4 };
    await returns();
    expect(host.outcomes).toEqual(['unknown', 'completed']);
  });

  it('while a run that began later looks after it: what became of it is told', async () => {
    await host.begin();
    await host.restarted();
    await host.begin();
    libvirt.dies();
    await seen();
    expect(host.outcomes).toEqual(['started', 'unknown']);
    await returns();
    expect(host.outcomes).toEqual(['started', 'unknown', 'failed']);
  });

  it('ends the events, and is listened to again: the guest’s end is heard', async () => {
    await host.begin();
    await host.restarted();
    await host.begin();
    libvirt.losesListeners();
    await seen();
    libvirt.leaves();
    expect(host.outcomes).toEqual(['started', 'completed']);
  });
});
