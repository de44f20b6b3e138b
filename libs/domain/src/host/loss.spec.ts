import { describe, expect, it } from '@jest/globals';
import { type Epoch, type HostName, type MigrationId, type PortId, type Revision } from '#kernel';
import { type Command, type Fact } from '../model/commands.js';
import { type DomainEvent } from '../model/events.js';
import { checkInvariants } from '../state/invariants.js';
import { notIsolated } from './waiting.js';
import { group, MAC_B, plug, raw, threeHosts, types, type World } from '../testing.js';

const p1 = 'p1' as PortId;
const h1 = 'h1' as HostName;
const at = (epoch: number) => ({ port: p1, epoch: epoch as Epoch, incarnation: `i${epoch}` });
const opened = (epoch: number): Fact => ({ type: 'SegmentOpened', ...at(epoch), raw: raw(0) });
const checkpoints = [{ ...at(1), raw: raw(33), at: 5 }];
const unplugged: Fact = { type: 'InterfaceUnplugged', ifaceId: 'if-1' };
const takeOver: Command = { type: 'TakeOver', host: h1, reason: 'h1 is silent', checkpoints };
const dead: Command = { type: 'GiveUpCounters', host: h1, reason: 'burnt', dead: true, checkpoints };

const port = (w: World) => w.state.ports.get(p1);
/** if-1 runs and counts on h1. */
const running = (partitionPolicy: 'keep' | 'isolate', w = threeHosts({ partitionPolicy })): World => {
  w.facts('h1', plug('if-1'));
  w.facts('h1', opened(1));
  return w;
};
/** What a host tells while h1 is not heard of. */
function whileSilent(w: World, host: string, ...facts: Fact[]): readonly DomainEvent[] {
  w.suspects = [h1];
  const events = w.facts(host, ...facts);
  w.suspects = [];
  return events;
}

describe('a guest that is plugged in elsewhere while its host is not heard of', () => {
  it('waits, and it is said why; asked again, it waits on, whoever else comes', () => {
    const w = running('keep');
    expect(whileSilent(w, 'h2', plug('if-1'))).toMatchObject([
      { type: 'PortClaimed', port: p1, host: 'h2', reason: expect.stringMatching(/h1.*not heard of.*keep/) },
      { type: 'FactsAccepted' },
    ]);
    expect(port(w)).toMatchObject({ active: { host: 'h1' }, standby: null, claim: { host: 'h2' } });
    expect(types(whileSilent(w, 'h2', plug('if-1')))).toEqual(['FactsAccepted']);
    expect(whileSilent(w, 'h3', plug('if-1'))).toMatchObject([{ type: 'FactRefused', code: 'claimed' }, {}]);
    // Heard again, and it still has the guest: who waits is no guest that moves.
    expect(types(w.facts('h2', plug('if-1')))).toEqual(['FactsAccepted']);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('is a guest that moves where its host is heard of', () => {
    const w = running('isolate');
    expect(types(w.facts('h2', plug('if-1')))).toContain('MigrationStarted');
  });

  it.each([
    ['unplugged there', (w: World) => w.facts('h1', unplugged)],
    ['not in its inventory', (w: World) => w.facts('h1', { type: 'Inventory', interfaces: [] })],
  ])('goes there once its host is back, and it is %s', (_how, back) => {
    const w = running('keep');
    whileSilent(w, 'h2', plug('if-1'));
    expect(types(back(w))).toEqual(['PortUnbound', 'PortBound', 'FactsAccepted']);
    expect(port(w)).toMatchObject({ active: { host: 'h2', epoch: 2 }, retiring: [{ host: 'h1', epoch: 1 }] });
    expect(port(w)).not.toHaveProperty('claim');
  });

  it('waits no more when it was unplugged where it waited', () => {
    const w = running('keep');
    whileSilent(w, 'h2', plug('if-1'));
    expect(types(w.facts('h2', unplugged))).toEqual(['PortReleased', 'FactsAccepted']);
    expect(w.state.hosts.get('h2' as HostName)).not.toHaveProperty('claims');
    w.do(dead);
    expect(port(w)?.active).toBeNull();
  });
});

describe('a port is taken over', () => {
  const taken = [
    { type: 'PortTakenOver', port: p1, host: 'h1', epoch: 1 },
    { type: 'PortUnbound', host: 'h1', epoch: 1 },
    { type: 'PortBound', host: 'h2', epoch: 2 },
    { type: 'SegmentClosed', epoch: 1, raw: raw(33), inexact: { checkpointAt: 5 } },
    { type: 'BindingRetired', host: 'h1', epoch: 1 },
  ];

  it('with proof of death: its ledger there closes at the checkpoint, and goes on under the next epoch', () => {
    const w = running('keep');
    whileSilent(w, 'h2', plug('if-1'));
    expect(w.do(takeOver)).toEqual([]);
    expect(w.do(dead)).toMatchObject([{ type: 'HostDied', host: 'h1', by: 'tester' }, ...taken]);
    expect(w.do(dead)).toEqual([]);
    w.facts('h2', opened(2));
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('when the switch has closed it by itself: those of groups that isolate, and somebody waits for', () => {
    const w = threeHosts({ partitionPolicy: 'isolate', ports: 4 });
    running('isolate', w);
    w.facts('h1', plug('if-2', MAC_B, { owner: 'vm2' }));
    expect(w.do(takeOver)).toEqual([]);
    whileSilent(w, 'h2', plug('if-1'));
    expect(w.do(takeOver)).toMatchObject(taken);
    expect(w.state.hosts.get(h1)).toMatchObject({ fence: w.state.revision, claims: ['p1'] });
    const others = [...w.state.ports.values()].filter((p) => p.active?.host === 'h1');
    expect(others.map((p) => p.connectee?.ifaceId)).toEqual(['if-2']);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  /** The groups that it comes to while its host is cut off, and the moves that this host must have carried out. */
  it.each([
    ['isolate', ['db'], 0],
    ['keep', ['db'], 1],
    ['keep', ['db', 'vip'], 1],
    ['isolate', ['rest', 'db'], 2],
  ] as const)(
    'which moved from one that is to %s to %j only where its host knows of move %i',
    (policy, to, n) => {
      const w = running(policy);
      const isolate = { partitionPolicy: 'isolate' };
      w.apply(group('db', isolate), group('vip', isolate), group('rest'));
      const before = w.state.revision;
      for (const name of to) w.do({ type: 'MovePort', port: p1, group: name });
      whileSilent(w, 'h2', plug('if-1'));
      const after = (realised: number): Command => ({ ...takeOver, realised: realised as Revision });
      if (n > 0) {
        expect(w.do(after(before + n - 1))).toEqual([]);
        expect(port(w)?.active?.host).toBe('h1');
      }
      expect(w.do(after(before + n))).toMatchObject(taken);
      expect(checkInvariants(w.state)).toEqual([]);
    },
  );

  it('by proof of death alone where its agent knows no leases, whatever its group says, and that is said', () => {
    const w = threeHosts({ partitionPolicy: 'isolate' });
    w.abilities = [];
    running('isolate', w);
    expect(w.state.hosts.get(h1)).not.toHaveProperty('abilities');
    expect(whileSilent(w, 'h2', plug('if-1'))[0]).toMatchObject({
      type: 'PortClaimed',
      reason: expect.stringMatching(
        /somebody says that it is dead.*isolate, for which the agent of h1 is too old/,
      ),
    });
    expect(w.do(takeOver)).toEqual([]);
    expect(notIsolated(w.state, h1)).toEqual(['p1']);
    // Another version of it takes over on the host, and is cut off in turn.
    w.abilities = ['lease', 'something-new', 'standby-ready'];
    expect(w.facts('h1', plug('if-1'))).toMatchObject([{ abilities: ['lease', 'standby-ready'] }]);
    expect(w.facts('h1', plug('if-1'))[0]).not.toHaveProperty('abilities');
    expect(notIsolated(w.state, h1)).toEqual([]);
    expect(w.do(takeOver)).toMatchObject(taken);
    // And one that goes back to what it was is believed no more.
    w.abilities = [];
    expect(w.facts('h1', plug('if-9', MAC_B, { owner: 'vm9' })).at(-1)).toMatchObject({ abilities: [] });
    expect(w.state.hosts.get(h1)).not.toHaveProperty('abilities');
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it.each([['keep', dead] as const, ['isolate', takeOver] as const])(
    'and a host that comes back (%s) does not get it back: its guest is a twin until it is unplugged',
    (policy, lost) => {
      const w = running(policy);
      whileSilent(w, 'h2', plug('if-1'));
      w.do(lost);
      const back = types(w.facts('h1', { type: 'Inventory', interfaces: [plug('if-1').interface] }));
      expect(back.filter((t) => t !== 'HostReturned')).toEqual(['PortClaimed', 'FactsAccepted']);
      expect(port(w)).toMatchObject({ active: { host: 'h2' }, standby: null });
      expect(port(w)?.claim?.reason).toMatch(/twin/);
      expect(w.facts('h1', { ...opened(1) })).toMatchObject([{ code: 'fenced' }, {}]);
      expect(types(w.facts('h1', unplugged))).toEqual(['PortReleased', 'FactsAccepted']);
      // From then on it may go there as anywhere else.
      expect(types(w.facts('h1', plug('if-1')))).toContain('MigrationStarted');
      expect(checkInvariants(w.state)).toEqual([]);
    },
  );

  it('and the twin that is left has it', () => {
    const w = running('keep');
    whileSilent(w, 'h2', plug('if-1'));
    w.do(dead);
    w.facts('h1', plug('if-1'));
    expect(types(w.facts('h2', unplugged))).toEqual(['PortUnbound', 'PortBound', 'FactsAccepted']);
    expect(port(w)).toMatchObject({ active: { host: 'h1', epoch: 3 } });
    expect(checkInvariants(w.state)).toEqual([]);
  });
});

describe('a host that somebody says is dead', () => {
  it('takes no guests, and is not dead any more once it tells of itself', () => {
    const w = running('keep');
    w.do({ ...dead, host: 'h3' as HostName });
    const to = { type: 'StartMigration', owner: 'vm1', destination: 'h3' as HostName } as const;
    expect(w.refused(to).details).toMatchObject([{ field: 'destination', reason: 'is dead: burnt' }]);
    expect(types(w.facts('h3', plug('if-9', MAC_B, { owner: 'vm9' })))).toContain('HostReturned');
    expect(types(w.do(to))).toContain('MigrationStarted');
  });
});

describe('a host that is lost while a guest moves', () => {
  const m1 = 'm1' as MigrationId;
  const migration = (w: World) => w.state.migrations.get(m1);
  const moving = (w: World): World => {
    w.do({ type: 'StartMigration', owner: 'vm1', destination: 'h2' as HostName });
    w.facts('h1', { type: 'HypervisorMigration', migration: m1, attempt: 1, outcome: 'started' });
    w.facts('h2', opened(2));
    return w;
  };

  it.each([
    ['isolate', takeOver],
    ['keep', dead],
  ] as const)(
    'the source (%s): the guest may be started on a third one, and the move has failed',
    (p, lost) => {
      const w = moving(running(p));
      expect(types(whileSilent(w, 'h3', plug('if-1')))).toContain('PortClaimed');
      w.do(lost);
      expect(migration(w)).toMatchObject({ phase: 'failed', reason: 'it was plugged in on h3' });
      expect(port(w)).toMatchObject({ active: { host: 'h3', epoch: 3 }, standby: null });
      expect(checkInvariants(w.state)).toEqual([]);
    },
  );

  it('the source: where its first frame comes from, there it is', () => {
    const w = moving(running('isolate'));
    w.do(takeOver);
    expect(migration(w)?.phase).toBe('moving');
    w.facts('h2', { type: 'PortActivated', port: p1, epoch: 2 as Epoch });
    expect(migration(w)?.phase).toBe('switched');
    expect(port(w)).toMatchObject({ active: { host: 'h2', epoch: 2 } });
  });

  it('the destination, switched: the guest is started where it came from, and what it counted goes on', () => {
    const w = moving(running('isolate'));
    w.facts('h2', { type: 'PortActivated', port: p1, epoch: 2 as Epoch });
    w.facts('h1', unplugged);
    w.suspects = ['h2' as HostName];
    w.facts('h3', plug('if-1'));
    expect(port(w)?.claim).toMatchObject({ host: 'h3' });
    const lost = { ...takeOver, host: 'h2' as HostName, checkpoints: [{ ...at(2), raw: raw(7), at: 6 }] };
    expect(types(w.do(lost))).toEqual([
      'PortTakenOver',
      'PortUnbound',
      'PortBound',
      'SegmentClosed',
      'BindingRetired',
    ]);
    expect(port(w)).toMatchObject({ active: { host: 'h3', epoch: 3 } });
    w.facts('h1', { type: 'SegmentClosed', ...at(1), raw: raw(40) });
    w.do({ type: 'TimeOutMigration', migration: m1, episode: migration(w)?.episode ?? 0, stoodMs: 600_000 });
    expect(migration(w)?.phase).toBe('completed');
    expect(port(w)?.retiring).toEqual([]);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('the destination, not there yet: nothing is taken from it, and its standby goes with its death alone', () => {
    const w = moving(running('isolate'));
    const h2 = 'h2' as HostName;
    expect(w.do({ ...takeOver, host: h2 })).toEqual([]);
    w.do({ ...dead, host: h2, checkpoints: [] });
    expect(port(w)).toMatchObject({ active: { host: 'h1', epoch: 1 } });
    w.facts('h1', { type: 'HypervisorMigration', migration: m1, attempt: 1, outcome: 'failed' });
    expect(port(w)).toMatchObject({ active: { host: 'h1', epoch: 1 }, standby: null });
    expect(checkInvariants(w.state)).toEqual([]);
  });
});
