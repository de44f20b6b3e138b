import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Epoch, type HostName, type MigrationId, type PortId } from '#kernel';
import { checkInvariants } from '../state/invariants.js';
import { verifyLedger } from '../ledger/verify.js';
import { type Fact } from '../model/commands.js';
import { type HypervisorOutcome, type MigrationPhase } from '../model/state.js';
import { MAC_B, plug, raw, threeHosts, types, type World } from '../testing.js';

const p1 = 'p1' as PortId;
const m1 = 'm1' as MigrationId;
let w: World;

const move = (destination = 'h2', owner = 'vm1') =>
  w.do({ type: 'StartMigration', owner, destination: destination as HostName });
const migration = (id = m1) => w.state.migrations.get(id);
const port = () => w.state.ports.get(p1);
function advance(to: MigrationPhase, id = m1) {
  const m = migration(id);
  const evidence = { h1: w.state.revision, h2: w.state.revision };
  const { episode = 0, phase: from = 'admitted' } = m ?? {};
  return { type: 'AdvanceMigration' as const, migration: id, episode, from, to, evidence };
}
const word = (outcome: HypervisorOutcome, attempt = 1): Fact => ({
  type: 'HypervisorMigration',
  migration: m1,
  attempt,
  outcome,
});
const frame = (epoch: number, id = p1): Fact => ({ type: 'PortActivated', port: id, epoch: epoch as Epoch });
const opened = (epoch: number, n = 0): Fact => ({
  type: 'SegmentOpened',
  port: p1,
  epoch: epoch as Epoch,
  incarnation: `i${epoch}`,
  raw: raw(n),
});
const left = (ifaceId: string): Fact => ({ type: 'InterfaceUnplugged', ifaceId });
const closed = (epoch: number, n: number): Fact => ({ ...opened(epoch, n), type: 'SegmentClosed' }) as Fact;

/** Three steps in each order, with its name. */
function inEachOrder<Step extends string>(steps: Record<Step, unknown>) {
  const all = Object.keys(steps) as Step[];
  return all.flatMap((first) => {
    const [a, b] = all.filter((s) => s !== first) as [Step, Step];
    return [[first, a, b] as const, [first, b, a] as const].map((o) => [o.join(', then '), o] as const);
  });
}

/** vm1 runs on h1 and counts there; its migration to h2 is moving. */
function moving(): void {
  move();
  w.do(advance('prepared'));
  w.do(advance('moving'));
}

beforeEach(() => {
  w = threeHosts();
  w.facts('h1', plug('if-1'), opened(1));
});

describe('what is known of the hand-over', () => {
  it('is kept with the migration: each host’s time, what of policy stood, for how long the guest stood still', () => {
    moving();
    w.facts('h2', { ...frame(2), at: 5_000, realised: 4 } as Fact);
    w.facts('h1', { ...word('completed'), pauseMs: 7 } as Fact);
    w.facts('h1', { ...closed(1, 9), turnedAt: 5_001 } as Fact);
    expect(migration()).toMatchObject({ phase: 'completed', pauseMs: 7 });
    const [p] = migration()?.ports ?? [];
    expect(p).toMatchObject({ activated: true, activatedAt: 5_000, realised: 4, turnedAt: 5_001 });
  });

  it('is taken in after the hypervisor’s word, too, once', () => {
    moving();
    w.facts('h1', word('completed'), closed(1, 9));
    expect(migration()?.phase).toBe('completed');
    const seen = { ...frame(2), at: 5_000, realised: 4 } as Fact;
    expect(types(w.facts('h3', seen))).toEqual(['FactRefused', 'FactsAccepted']);
    expect(types(w.facts('h2', seen))).toEqual(['FirstFrameNoted', 'FactsAccepted']);
    expect(types(w.facts('h2', seen))).toEqual(['FactsAccepted']);
    expect(migration()?.ports).toEqual([
      { port: 'p1', epoch: 2, activated: true, activatedAt: 5_000, realised: 4 },
    ]);
  });

  it('has what the guest brought along of its source’s policy, which decides nothing', () => {
    moving();
    const seen = { ...frame(2), at: 5_000, realised: 4, carried: 5 } as Fact;
    expect(types(w.facts('h2', seen))).toEqual(['PortActivated', 'MigrationAdvanced', 'FactsAccepted']);
    expect(migration()).toMatchObject({ phase: 'switched', ports: [{ realised: 4, carried: 5 }] });
  });

  it('has that also of a port that was activated by the hypervisor’s word, with the first frame', () => {
    moving();
    w.facts('h1', word('completed'));
    w.facts('h2', { ...frame(2), at: 5_000, carried: 5 } as Fact);
    expect(migration()?.ports).toMatchObject([{ activatedAt: 5_000, carried: 5 }]);
  });

  it('has nothing of what the log does not hold yet, and the guest is there all the same', () => {
    moving();
    const head = w.state.revision;
    const seen = { ...frame(2), at: 5_000, realised: 4, carried: head + 1 } as Fact;
    const [told, ...events] = w.facts('h2', seen);
    expect(told).toMatchObject({ type: 'FactRefused', fact: 'PortActivated', code: 'ahead' });
    expect(types(events)).toEqual(['PortActivated', 'MigrationAdvanced', 'FactsAccepted']);
    expect(port()?.active).toEqual({ host: 'h2', epoch: 2 });
    expect(migration()?.ports[0]).not.toHaveProperty('carried');
  });

  it('has the guest’s pause also when the end that knows it is heard last, once', () => {
    moving();
    w.facts('h2', word('completed'));
    const told = { ...word('completed'), pauseMs: 7 } as Fact;
    expect(types(w.facts('h3', told))).toEqual(['FactRefused', 'FactsAccepted']);
    expect(types(w.facts('h1', told, { ...told, pauseMs: 8 } as Fact))).toEqual([
      'HypervisorReported',
      'FactsAccepted',
    ]);
    w.facts('h1', closed(1, 9), { ...told, pauseMs: 9 } as Fact);
    expect(migration()).toMatchObject({ phase: 'completed', pauseMs: 7 });
  });

  it('is left open where nobody noticed it; a close that is of no move says nothing', () => {
    moving();
    w.facts('h2', opened(2));
    w.facts('h1', word('completed'));
    w.facts('h2', { ...closed(2, 3), turnedAt: 5_001 } as Fact);
    w.facts('h1', closed(1, 9));
    expect(migration()?.ports).toEqual([{ port: 'p1', epoch: 2, activated: true }]);
    expect(migration()).not.toHaveProperty('pauseMs');
  });
});

describe('a migration that goes well', () => {
  it('is admitted with a standby at the next epoch, and nothing that is secret', () => {
    expect(move()).toMatchObject([
      {
        type: 'MigrationStarted',
        migration: { id: 'm1', source: 'h1', destination: 'h2', phase: 'admitted' },
      },
      { type: 'StandbyGranted', port: 'p1', standby: { host: 'h2', epoch: 2, migration: 'm1' } },
    ]);
    expect(port()?.standby).toEqual({ host: 'h2', epoch: 2, migration: 'm1' });
    expect(port()?.active).toEqual({ host: 'h1', epoch: 1 });
  });

  it('switches with the first frame and completes with the final counters and the word of the hypervisor', () => {
    moving();
    expect(types(w.facts('h2', plug('if-1'), opened(2)))).toEqual(['SegmentOpened', 'FactsAccepted']);
    expect(w.facts('h2', frame(2))).toMatchObject([
      { type: 'PortActivated', host: 'h2', epoch: 2 },
      { type: 'MigrationAdvanced', from: 'moving', to: 'switched' },
      {},
    ]);
    expect(port()).toMatchObject({ active: { host: 'h2', epoch: 2 }, retiring: [{ host: 'h1', epoch: 1 }] });
    expect(types(w.facts('h1', closed(1, 40)))).toEqual(['SegmentClosed', 'BindingRetired', 'FactsAccepted']);
    expect(w.facts('h1', word('completed'))).toMatchObject([
      { type: 'HypervisorReported' },
      { type: 'MigrationAdvanced', to: 'completed', episode: 5 },
      {},
    ]);
    expect(w.state.moving.size).toBe(0);
    expect(verifyLedger(w.log, w.state)).toEqual([]);
  });

  it('knows whether the destination has its interface and its policy, by the destination’s word alone', () => {
    moving();
    const ready = (is: boolean, epoch = 2): Fact => ({
      type: 'StandbyReady',
      port: p1,
      epoch: epoch as Epoch,
      ready: is,
    });
    expect(types(w.facts('h2', ready(false)))).toEqual(['FactsAccepted']);
    expect(types(w.facts('h2', ready(true), ready(true)))).toEqual(['StandbyReady', 'FactsAccepted']);
    expect(migration()?.ports).toMatchObject([{ ready: true }]);
    expect(types(w.facts('h1', ready(false)))).toEqual(['FactRefused', 'FactsAccepted']);
    expect(types(w.facts('h2', ready(false, 1)))).toEqual(['FactRefused', 'FactsAccepted']);
    expect(types(w.facts('h2', ready(false)))).toEqual(['StandbyReady', 'FactsAccepted']);
    w.facts('h2', frame(2));
    expect(types(w.facts('h2', ready(true)))).toEqual(['FactsAccepted']);
    expect(migration()?.ports).toMatchObject([{ ready: false, activated: true }]);
  });

  it('completes when the source has handed in its counters and its hypervisor does not know any more', () => {
    const facts = [closed(1, 40), word('unknown')];
    for (const order of [facts, facts.toReversed()]) {
      w = threeHosts();
      w.facts('h1', plug('if-1'), opened(1));
      moving();
      w.facts('h2', plug('if-1'), opened(2), frame(2));
      for (const fact of order) {
        expect(migration()?.phase).toBe('switched');
        w.facts('h1', fact);
      }
      expect(migration()?.phase).toBe('completed');
      expect(port()).toMatchObject({ active: { host: 'h2', epoch: 2 }, retiring: [] });
    }
  });

  it('is fenced afterwards: nothing said at the old epoch counts', () => {
    moving();
    w.facts('h2', frame(2));
    w.facts('h1', closed(1, 1), word('completed'));
    const late = w.facts('h1', opened(1), closed(1, 9), frame(1), word('failed'));
    expect(late).toMatchObject([
      { type: 'FactRefused', code: 'fenced' },
      { type: 'FactRefused', code: 'closed' },
      { type: 'FactRefused', code: 'fenced' },
      { type: 'FactRefused', code: 'fenced' },
      { type: 'FactsAccepted' },
    ]);
  });

  it('takes no word on another move to which a lost end of the log gave the same id', () => {
    moving();
    const of = (owner: string, destination: string): Fact =>
      ({ ...word('completed'), owner, destination }) as Fact;
    const refused = w.facts('h1', of('vm1', 'h3'), of('vm2', 'h2'));
    expect(refused).toMatchObject([
      { type: 'FactRefused', code: 'fenced' },
      { type: 'FactRefused', code: 'fenced' },
      { type: 'FactsAccepted' },
    ]);
    expect(migration()).toMatchObject({ phase: 'moving' });
    expect(types(w.facts('h1', of('vm1', 'h2')))).toContain('HypervisorReported');
  });

  it('may go back, and forth again, with one ledger', () => {
    for (const [from, to, epoch] of [
      ['h1', 'h2', 1],
      ['h2', 'h1', 2],
      ['h1', 'h2', 3],
    ] as const) {
      const id = `m${epoch}` as MigrationId;
      move(to);
      w.facts(to, plug('if-1'), opened(epoch + 1), frame(epoch + 1));
      w.facts(from, closed(epoch, 10), { ...word('completed'), migration: id } as Fact);
      expect(migration(id)?.phase).toBe('completed');
      expect(checkInvariants(w.state)).toEqual([]);
    }
    expect(verifyLedger(w.log, w.state)).toEqual([]);
  });

  it('takes every port of the VM, and has switched when the last of them has', () => {
    w.facts('h1', plug('if-2', MAC_B));
    move();
    expect(migration()?.ports).toHaveLength(2);
    expect(w.facts('h2', frame(2, 'p2' as PortId))).toMatchObject([{}, { to: 'moving' }, {}]);
    expect(w.facts('h2', frame(2))).toMatchObject([{}, { to: 'switched' }, {}]);
  });
});

describe('admission refuses, naming the field', () => {
  it.each([
    ['an unknown owner', () => ({ owner: 'nobody', destination: 'h2' }), 'not-found', 'owner'],
    ['an unknown host', () => ({ owner: 'vm1', destination: 'h9' }), 'not-found', 'destination'],
    ['the host that it is on', () => ({ owner: 'vm1', destination: 'h1' }), 'refused', 'destination'],
    [
      'a host in maintenance',
      () => {
        w.apply({ kind: 'Host', name: 'h2', spec: { maintenance: true } });
        return { owner: 'vm1', destination: 'h2' };
      },
      'refused',
      'destination',
    ],
    [
      'a host whose uplink is down',
      () => {
        w.facts('h2', { type: 'UplinkState', switch: 'lan', uplink: 'uplink1', up: false });
        return { owner: 'vm1', destination: 'h2' };
      },
      'refused',
      'ports.p1.switch',
    ],
    [
      'a second one while one runs',
      () => {
        move();
        return { owner: 'vm1', destination: 'h3' };
      },
      'refused',
      'ports.p1',
    ],
    [
      'a port of a closing group',
      () => {
        w.do({ type: 'Delete', kind: 'PortGroup', name: 'web' });
        return { owner: 'vm1', destination: 'h2' };
      },
      'refused',
      'ports.p1.group',
    ],
    [
      'a VM on an internal-only standard switch',
      () => {
        w.apply(
          { kind: 'StandardSwitch', name: 'inside', spec: { members: { h1: {} } } },
          { kind: 'PortGroup', name: 'lab', spec: { switch: 'inside' } },
        );
        w.facts('h1', plug('if-9', MAC_B, { profile: 'lab', switch: 'inside', owner: 'vm9' }));
        return { owner: 'vm9', destination: 'h2' };
      },
      'refused',
      'ports.p3.switch',
    ],
  ])('%s', (_what, given, code, field) => {
    const problem = w.refused({
      type: 'StartMigration',
      ...(given() as { owner: string; destination: HostName }),
    });
    expect(problem).toMatchObject({ code, details: [{ field }] });
  });
});

describe('proposals', () => {
  it('hold only in the phase and episode that they were made on', () => {
    move();
    const proposal = advance('prepared');
    expect(w.refused({ ...proposal, evidence: { h2: w.state.revision } })).toMatchObject({
      code: 'refused',
      details: [{ field: 'evidence.h1' }],
    });
    w.do(proposal);
    expect(w.refused(proposal)).toMatchObject({ code: 'fenced', details: [{ field: 'from' }] });
    expect(w.refused({ ...advance('moving'), episode: 1 })).toMatchObject({
      details: [{ field: 'episode' }],
    });
  });
});

describe('a migration that does not', () => {
  it('is aborted before it moves: the destination is cleaned, the source goes on', () => {
    move();
    w.facts('h2', opened(2));
    expect(types(w.do({ type: 'AbortMigration', migration: m1, reason: 'no' }))).toEqual([
      'StandbyRevoked',
      'MigrationAdvanced',
    ]);
    expect(port()).toMatchObject({
      active: { host: 'h1', epoch: 1 },
      standby: null,
      retiring: [{ host: 'h2' }],
    });
    expect(types(w.facts('h2', closed(2, 0)))).toEqual(['SegmentClosed', 'BindingRetired', 'FactsAccepted']);
    expect(w.facts('h2', frame(2))).toMatchObject([{ code: 'fenced' }, {}]);
  });

  it('waits in aborting for the hypervisor, whose word decides', () => {
    moving();
    w.do({ type: 'AbortMigration', migration: m1, reason: 'no' });
    expect(migration()).toMatchObject({ phase: 'aborting' });
    expect(port()?.standby).not.toBeNull();
    w.facts('h1', word('aborted'));
    expect(migration()).toMatchObject({ phase: 'aborted' });
    expect(port()?.standby).toBeNull();
  });

  it('has moved after all when the abort came too late', () => {
    moving();
    w.do({ type: 'AbortMigration', migration: m1, reason: 'no' });
    w.facts('h1', word('completed'));
    expect(migration()?.phase).toBe('switched');
    expect(port()?.active).toEqual({ host: 'h2', epoch: 2 });
  });

  it('is bound to the source again, at a new epoch, when the hypervisor resumes it there after the switch', () => {
    moving();
    w.facts('h2', opened(2), frame(2));
    const events = w.facts('h1', word('failed'));
    expect(events).toMatchObject([
      { type: 'HypervisorReported' },
      { type: 'PortBound', host: 'h1', epoch: 3 },
      { type: 'MigrationAdvanced', from: 'switched', to: 'failed' },
      {},
    ]);
    w.facts('h1', closed(1, 10), opened(3));
    w.facts('h2', closed(2, 2));
    expect(port()).toMatchObject({ active: { host: 'h1', epoch: 3 }, retiring: [] });
    expect(w.facts('h2', opened(2))).toMatchObject([{ code: 'fenced' }, {}]);
    expect(verifyLedger(w.log, w.state)).toEqual([]);
  });

  it('stays where it is when the source had let go of it before', () => {
    moving();
    w.facts('h2', frame(2));
    w.facts('h1', closed(1, 10));
    expect(w.facts('h1', word('failed'))).toMatchObject([{}, { code: 'too-late' }, {}]);
    expect(port()?.active).toEqual({ host: 'h2', epoch: 2 });
  });

  it('never takes a port back from where its guest was started since', () => {
    moving();
    w.do({ type: 'AbortMigration', migration: m1, reason: 'no' });
    w.facts('h2', frame(2), { type: 'InterfaceUnplugged', ifaceId: 'if-1' });
    w.facts('h3', plug('if-1'));
    w.facts('h1', word('failed'));
    expect(migration()?.phase).toBe('aborted');
    expect(port()?.active).toEqual({ host: 'h3', epoch: 3 });
  });

  const timedOut = { type: 'TimeOutMigration' as const, migration: m1, stoodMs: 600_000 };

  it('times out when its phase has stood long enough and not before, once, whatever the wall clock says', () => {
    move();
    const timeout = (stoodMs?: number) => ({
      type: 'TimeOutMigration' as const,
      migration: m1,
      episode: 1,
      ...(stoodMs === undefined ? {} : { stoodMs }),
    });
    const set = w.now;
    w.now = set + 25 * 3_600_000;
    for (const early of [undefined, 29_999])
      expect(w.refused(timeout(early))).toMatchObject({ code: 'unavailable', retry: true });
    w.now = set;
    w.do(timeout(30_000));
    expect(migration()).toMatchObject({ phase: 'failed', reason: 'timed out in admitted' });
    expect(w.refused(timeout(30_000)).code).toBe('fenced');
  });

  it('goes from moving through aborting to unknown when nobody answers, and ends on the operator’s word', () => {
    moving();
    for (const phase of ['aborting', 'unknown'] as const) {
      w.do({ ...timedOut, episode: migration()?.episode ?? 0 });
      expect(migration()?.phase).toBe(phase);
    }
    w.do({ type: 'AbortMigration', migration: m1, reason: 'host h2 is off' });
    expect(migration()?.phase).toBe('aborted');
    expect(port()).toMatchObject({ active: { host: 'h1', epoch: 1 }, standby: null });
  });

  it('completes with counters outstanding when the source never answers; its removal closes them, inexact', () => {
    moving();
    w.facts('h2', frame(2));
    w.do({ ...timedOut, episode: migration()?.episode ?? 0 });
    expect(migration()?.phase).toBe('completed');
    expect(w.refused({ type: 'Delete', kind: 'Host', name: 'h1' }).message).toContain('member of lan');
    const members = { h2: { uplink1: 'eth1' }, h3: { uplink1: 'eth1' } };
    w.apply({ kind: 'DistributedSwitch', name: 'lan', spec: { uplinks: ['uplink1', 'uplink2'], members } });
    const last = { port: p1, epoch: 1 as Epoch, incarnation: 'i1', raw: raw(33), at: 5 };
    const events = w.do({ type: 'Delete', kind: 'Host', name: 'h1', checkpoints: [last] });
    expect(events).toMatchObject([
      { type: 'SegmentClosed', raw: raw(33), inexact: { checkpointAt: 5 } },
      { type: 'BindingRetired' },
      { type: 'HostRemoved' },
    ]);
  });
});

describe('a guest whose interfaces left the destination', () => {
  const gone = left('if-1');

  it('keeps a port from being disconnected, and says which it is', () => {
    moving();
    w.facts('h1', gone);
    const { message } = w.refused({ type: 'DisconnectPort', port: p1 });
    expect(message).toContain('is awaited on h2 by migration m1');
  });
  const asked = () => moving();
  const aborting = () => {
    moving();
    w.do({ type: 'AbortMigration', migration: m1, reason: 'no' });
  };
  const steps = {
    'the hypervisor knows nothing': () => w.facts('h1', word('unknown')),
    'the source saw it leave': () => w.facts('h1', gone),
    'the destination saw it leave': () => w.facts('h2', gone),
  };

  it.each(inEachOrder(steps))(
    'runs nowhere when it left the source as well, whoever is heard first: %s',
    (_what, order) => {
      for (const begin of [asked, aborting]) {
        w = threeHosts();
        w.facts('h1', plug('if-1'), opened(1));
        begin();
        w.facts('h2', plug('if-1'), opened(2));
        for (const step of order) steps[step]();
        expect(migration()?.phase).toBe('aborted');
        expect(port()).toMatchObject({ active: null, standby: null });
        expect(checkInvariants(w.state)).toEqual([]);
      }
    },
  );

  it('stays at the source when its hypervisor does not know, whichever is heard first', () => {
    for (const word1st of [true, false]) {
      w = threeHosts();
      w.facts('h1', plug('if-1'));
      moving();
      w.facts('h2', plug('if-1'));
      if (word1st) w.facts('h1', word('unknown'));
      w.facts('h2', gone);
      expect(migration()?.phase).toBe(word1st ? 'aborted' : 'moving');
      w.facts('h1', word('unknown'));
      expect(migration()).toMatchObject({
        phase: 'aborted',
        reason: 'its interface left the destination h2',
      });
      expect(port()).toMatchObject({ active: { host: 'h1', epoch: 1 }, standby: null });
    }
  });

  it('is waited for when they are back, and as long as the hypervisor may speak', () => {
    moving();
    w.facts('h2', plug('if-1'));
    expect(types(w.facts('h2', gone))).toEqual(['StandbyReady', 'FactsAccepted']);
    expect(types(w.facts('h2', gone))).toEqual(['FactsAccepted']);
    expect(migration()).toMatchObject({ phase: 'moving', ports: [{ plugged: false }] });
    expect(types(w.facts('h2', plug('if-1')))).toEqual(['StandbyReady', 'FactsAccepted']);
    w.facts('h1', word('unknown'), gone);
    expect(migration()?.phase).toBe('unknown');
    w.facts('h2', frame(2));
    expect(migration()?.phase).toBe('switched');
  });

  it('runs nowhere when the source is dead, by somebody’s word', () => {
    moving();
    w.facts('h2', plug('if-1'), gone);
    w.do({ type: 'GiveUpCounters', host: 'h1' as HostName, reason: 'board burnt', dead: true });
    expect(migration()?.phase).toBe('aborted');
    w.facts('h3', plug('if-1'));
    expect(port()).toMatchObject({ active: { host: 'h3' }, standby: null });
  });

  it('with two of them is waited for until both have left', () => {
    w.facts('h1', plug('if-2', MAC_B));
    moving();
    w.facts('h2', plug('if-1'), plug('if-2', MAC_B), gone);
    w.facts('h1', word('unknown'));
    expect(migration()?.phase).toBe('unknown');
    w.facts('h2', left('if-2'));
    expect(migration()?.phase).toBe('aborted');
  });
});

describe('a guest of which a part is seen at the destination', () => {
  const steps = {
    'one of it sends there': () => w.facts('h2', frame(2)),
    'the other left the source': () => w.facts('h1', left('if-2')),
    'the hypervisor knows nothing': () => w.facts('h1', word('unknown')),
  };
  const p2 = () => w.state.ports.get('p2' as PortId);
  const begin = (): void => {
    w.facts('h1', plug('if-2', MAC_B));
    moving();
    w.facts('h2', plug('if-1'), plug('if-2', MAC_B));
  };

  it.each(inEachOrder(steps))(
    'is there as a whole when the source has nothing of the other and can say nothing: %s',
    (_what, order) => {
      begin();
      for (const [i, step] of order.entries()) {
        expect(p2()?.standby?.host).toBe('h2');
        expect(migration()?.phase).toBe(
          order.slice(0, i).includes('the hypervisor knows nothing') ? 'unknown' : 'moving',
        );
        steps[step]();
      }
      expect(migration()).toMatchObject({ phase: 'switched', reason: 'its interfaces left the source h1' });
      expect(p2()).toMatchObject({ active: { host: 'h2', epoch: 2 }, standby: null });
      expect(checkInvariants(w.state)).toEqual([]);
    },
  );

  it('is waited for while the other is plugged in at the source', () => {
    begin();
    w.facts('h2', frame(2));
    w.facts('h1', word('unknown'));
    expect(migration()?.phase).toBe('unknown');
    expect(p2()).toMatchObject({ active: { host: 'h1', epoch: 1 }, standby: { host: 'h2' } });
  });

  it('is not there when what was seen of it is gone again', () => {
    begin();
    w.facts('h2', frame(2), left('if-1'));
    w.facts('h1', word('unknown'), left('if-2'));
    expect(p2()).toMatchObject({ active: null });
    expect(migration()?.phase).not.toBe('switched');
  });
});

describe('a source that will not come back', () => {
  it('is given up by the operator: what it owes closes at its checkpoint, inexact, and the migration completes', () => {
    const give = { type: 'GiveUpCounters', host: 'h1' as HostName, reason: 'board burnt' } as const;
    moving();
    expect(w.do(give)).toEqual([]);
    w.facts('h2', frame(2), word('completed'));
    expect(migration()?.phase).toBe('switched');
    const last = { port: p1, epoch: 1 as Epoch, incarnation: 'i1', raw: raw(33), at: 5 };
    expect(w.do({ ...give, checkpoints: [last] })).toMatchObject([
      {
        type: 'SegmentClosed',
        raw: raw(33),
        inexact: { checkpointAt: 5, reason: expect.stringMatching(/board burnt$/) },
      },
      { type: 'BindingRetired', host: 'h1' },
      { type: 'MigrationAdvanced', to: 'completed' },
    ]);
    expect(port()).toMatchObject({ active: { host: 'h2' }, retiring: [] });
    expect(w.do(give)).toEqual([]);
    expect(w.refused({ ...give, host: 'h9' as HostName }).code).toBe('not-found');
    expect(w.refused({ ...give, reason: '' }).code).toBe('invalid');
  });
});

describe('a host that is dead', () => {
  const dead = {
    type: 'GiveUpCounters',
    host: 'h1' as HostName,
    reason: 'board burnt',
    dead: true,
    checkpoints: [{ port: p1, epoch: 1 as Epoch, incarnation: 'i1', raw: raw(33), at: 5 }],
  } as const;
  const members = { h2: { uplink1: 'eth1' }, h3: { uplink1: 'eth1' } };

  it('lets go of its ports by the operator’s word, inexact, and can be taken out', () => {
    w.do({ ...dead, dead: false });
    expect(port()).toMatchObject({ active: { host: 'h1' } });
    expect(w.do(dead)).toMatchObject([
      { type: 'HostDied', host: 'h1', by: 'tester', reason: 'board burnt' },
      { type: 'PortTakenOver', host: 'h1', epoch: 1 },
      { type: 'PortUnbound', host: 'h1', epoch: 1 },
      { type: 'SegmentClosed', raw: raw(33), inexact: { checkpointAt: 5 } },
      { type: 'BindingRetired', host: 'h1' },
    ]);
    expect(port()).toMatchObject({ active: null, retiring: [], connectee: { ifaceId: 'if-1' } });
    expect(w.do(dead)).toEqual([]);
    w.apply({ kind: 'DistributedSwitch', name: 'lan', spec: { uplinks: ['uplink1', 'uplink2'], members } });
    expect(types(w.do({ type: 'Delete', kind: 'Host', name: 'h1' }))).toEqual(['HostRemoved']);
    // Its guest is started elsewhere.
    w.facts('h3', plug('if-1'));
    expect(port()).toMatchObject({ active: { host: 'h3', epoch: 2 } });
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('that lives all the same has its guests again with its next inventory, under a new epoch', () => {
    w.do(dead);
    expect(types(w.facts('h1', closed(1, 40)))).toContain('FactRefused');
    w.facts('h1', plug('if-1'));
    expect(port()).toMatchObject({ active: { host: 'h1', epoch: 2 }, retiring: [] });
  });

  it('while a guest is copied away from it: where its first frame comes from, there it is', () => {
    moving();
    w.do(dead);
    expect(migration()?.phase).toBe('moving');
    expect(checkInvariants(w.state)).toEqual([]);
    w.facts('h2', frame(2));
    expect(migration()?.phase).toBe('switched');
    w.do({ type: 'TimeOutMigration', migration: m1, stoodMs: 600_000, episode: migration()?.episode ?? 0 });
    expect(migration()?.phase).toBe('completed');
    expect(port()).toMatchObject({ active: { host: 'h2' }, retiring: [] });
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('while a guest is copied to it: it stays where it was', () => {
    moving();
    w.facts('h2', opened(2));
    w.do({ ...dead, host: 'h2' as HostName, checkpoints: [] });
    expect(port()).toMatchObject({ active: { host: 'h1', epoch: 1 } });
    w.facts('h1', word('failed'));
    expect(migration()?.phase).toBe('failed');
    expect(port()).toMatchObject({ active: { host: 'h1', epoch: 1 }, standby: null });
    w.do({ ...dead, host: 'h2' as HostName, checkpoints: [] });
    expect(port()?.retiring).toEqual([]);
    expect(checkInvariants(w.state)).toEqual([]);
  });
});

describe('a migration seen from the outside', () => {
  const there = () => w.facts('h2', plug('if-1'));

  it('starts when the interface shows up elsewhere, and runs the same machine', () => {
    expect(types(there())).toEqual(['MigrationStarted', 'StandbyGranted', 'FactsAccepted']);
    expect(migration()).toMatchObject({ origin: 'observed', attempt: 0 });
    w.facts('h2', frame(2));
    w.facts('h1', plug('if-1'), closed(1, 4), { type: 'InterfaceUnplugged', ifaceId: 'if-1' });
    expect(migration()?.phase).toBe('completed');
  });

  it('has switched when the source’s interface goes, even if the guest is silent', () => {
    there();
    const events = w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' });
    expect(types(events)).toEqual(['PortUnbound', 'PortActivated', 'MigrationAdvanced', 'FactsAccepted']);
    expect(migration()?.phase).toBe('switched');
  });

  it('is over when the interface leaves the destination', () => {
    there();
    w.facts('h2', { type: 'Inventory', interfaces: [] });
    expect(migration()?.phase).toBe('aborted');
    expect(port()?.active).toEqual({ host: 'h1', epoch: 1 });
  });

  it('is over when a guest with two vNICs goes back after one of them had switched, in whichever order they leave', () => {
    for (const leaving of [
      ['if-1', 'if-2'],
      ['if-2', 'if-1'],
    ]) {
      w = threeHosts();
      const both = [plug('if-1'), plug('if-2', MAC_B)];
      w.facts('h1', ...both);
      w.facts('h2', ...both);
      w.facts('h2', frame(2));
      expect(migration()?.phase).toBe('moving');
      for (const ifaceId of leaving) w.facts('h2', { type: 'InterfaceUnplugged', ifaceId });
      expect(migration()?.phase).toBe('aborted');
      expect(w.state.ports.get('p2' as PortId)).toMatchObject({ active: { host: 'h1' }, standby: null });
      // The source is asked again for what has no port there.
      w.facts('h1', { type: 'Inventory', interfaces: both.map((f) => f.interface) });
      expect(port()?.active?.host).toBe('h1');
      expect(checkInvariants(w.state)).toEqual([]);
    }
  });

  it('can’t be aborted from here, and a third host has no part in it', () => {
    there();
    expect(w.refused({ type: 'AbortMigration', migration: m1, reason: 'no' }).message).toContain(
      'somebody else',
    );
    expect(w.facts('h3', plug('if-1'))).toMatchObject([{ code: 'migrating' }, {}]);
  });

  it('is not admitted to a host that the switch does not have', () => {
    w.apply({
      kind: 'DistributedSwitch',
      name: 'lan',
      spec: { uplinks: ['uplink1', 'uplink2'], members: { h1: { uplink1: 'eth1' } } },
    });
    expect(there()).toMatchObject([{ code: 'not-member' }, {}]);
  });
});
