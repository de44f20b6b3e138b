import { beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJson, type HostName, type MigrationId } from '#kernel';
import { type Command } from '../model/commands.js';
import { type DomainEvent } from '../model/events.js';
import { type Evacuation } from '../model/state.js';
import { checkInvariants } from '../state/invariants.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { dvs, group, handedIn, host, plug, types, World } from '../testing.js';
import { guestStates } from './guests.js';
import { nextStep } from './plan.js';

const HOSTS = ['h1', 'h2', 'h3', 'h4'];
const mac = (n: number): string => `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`;

/** Four hosts; on the first run `guests` VMs with one port each, as `vm01`, `vm02`… */
function fullHost(guests: number, limit = 2): World {
  const w = new World();
  w.apply(...HOSTS.map((h) => host(h, { migrationLimit: limit })), dvs('lan', HOSTS), group('web'));
  for (let n = 1; n <= guests; n++) {
    w.facts('h1', plug(`if-${n}`, mac(n), { owner: `vm${String(n).padStart(2, '0')}` }));
  }
  return w;
}

const START = { type: 'StartEvacuation', host: 'h1' as HostName } as const;
const of = (w: World): Evacuation => w.state.evacuations.get('e1' as never)!;
const advancing = (w: World, more: object = {}): Command => ({
  type: 'AdvanceEvacuation',
  evacuation: 'e1' as never,
  episode: of(w).episode,
  ...more,
});
const advance = (w: World, more: object = {}): readonly DomainEvent[] => w.do(advancing(w, more));
const started = (events: readonly DomainEvent[]): string[] =>
  events.flatMap((e) =>
    e.type === 'MigrationStarted' ? `${e.migration.owner} ${e.migration.destination}` : [],
  );

/** The hypervisor's word on a migration; with `completed`, the source's last counters too. */
function ends(w: World, id: string, outcome: 'completed' | 'failed'): void {
  const m = w.state.migrations.get(id as MigrationId)!;
  w.facts(m.source, {
    type: 'HypervisorMigration',
    migration: m.id,
    attempt: m.attempt,
    outcome,
    reason: 'so it said',
  });
  if (outcome === 'completed') {
    for (const { port, epoch } of m.ports) w.facts(m.source, ...handedIn(port, epoch - 1));
  }
}

/** Until it is over: whatever is on its way ends as told. */
function runToEnd(w: World, outcome: (id: string) => 'completed' | 'failed' = () => 'completed'): void {
  for (let n = 0; n < 1_000 && of(w).endedAt === null; n++) {
    const running = [...new Set(w.state.moving.values())][0];
    if (nextStep(w.state, of(w)) !== null) advance(w);
    else if (running !== undefined) ends(w, running, outcome(running));
    expect(checkInvariants(w.state)).toEqual([]);
  }
}

const states = (w: World): Record<string, string> =>
  Object.fromEntries(guestStates(w.state, of(w)).map((g) => [g.owner, g.state]));

describe('an evacuation', () => {
  let w: World;
  beforeEach(() => {
    w = fullHost(5);
  });

  it('puts the host into maintenance, and says who asked and why', () => {
    expect(types(w.do({ ...START, reason: 'new board' }))).toEqual(['HostDefined', 'EvacuationStarted']);
    expect(w.state.hosts.get('h1' as HostName)?.maintenance).toBe(true);
    expect(of(w)).toMatchObject({
      requestedBy: 'tester',
      reason: 'new board',
      phase: 'running',
      attempts: 3,
    });
  });

  it('sends as many guests as the host lets go at once, each to the host with the fewest ports', () => {
    w.facts('h2', plug('if-90', mac(90), { owner: 'other' }));
    w.do(START);
    const events = advance(w);
    expect(started(events)).toEqual(['vm01 h3', 'vm02 h4']);
    expect(w.state.migrations.get('m1' as never)).toMatchObject({
      evacuation: 'e1',
      requestedBy: 'tester',
      reason: 'evacuation e1: h3 holds the fewest ports (0) of the hosts that admit it',
    });
    expect(states(w)).toEqual({
      vm01: 'moving',
      vm02: 'moving',
      vm03: 'waiting',
      vm04: 'waiting',
      vm05: 'waiting',
    });
    expect(w.refused(advancing(w))).toMatchObject({ code: 'unavailable', retry: true });
  });

  it('goes on as migrations end, and ends when the last guest is away', () => {
    w.do(START);
    runToEnd(w);
    expect(of(w)).toMatchObject({ phase: 'completed', endedAt: w.now });
    expect(new Set(Object.values(states(w)))).toEqual(new Set(['moved']));
    expect(w.state.byHost.get('h1' as HostName)).toBeUndefined();
    const spread = HOSTS.slice(1).map((h) => w.state.byHost.get(h as HostName)?.size);
    expect(spread.sort()).toEqual([1, 2, 2]);
  });

  it('sends no more at once than it was asked to, and only where it was asked to', () => {
    w.do({ ...START, to: ['h4' as HostName], parallel: 1 });
    expect(started(advance(w))).toEqual(['vm01 h4']);
    runToEnd(w);
    expect(w.state.byHost.get('h4' as HostName)?.size).toBe(5);
  });

  it('waits for a destination that takes no more at once', () => {
    w = fullHost(3, 1);
    w.apply(host('h1', { migrationLimit: 3 }));
    w.do({ ...START, to: ['h2' as HostName, 'h3' as HostName] });
    expect(started(advance(w))).toEqual(['vm01 h2', 'vm02 h3']);
    expect(w.refused(advancing(w)).code).toBe('unavailable');
    ends(w, 'm2', 'completed');
    const next = advance(w);
    expect(started(next)).toEqual(['vm03 h3']);
    expect(w.state.migrations.get('m3' as never)?.reason).toBe(
      'evacuation e1: h3 holds the fewest ports (1) of the hosts that admit it and take another guest now',
    );
  });

  it('tries a guest anew at another host, as often as told, and says how the last try ended', () => {
    w = fullHost(1);
    w.do({ ...START, attempts: 2 });
    runToEnd(w, () => 'failed');
    const [guest] = of(w).guests;
    expect(guest?.tries).toMatchObject([
      { migration: 'm1', destination: 'h2', outcome: 'failed', reason: 'so it said' },
      { migration: 'm2', destination: 'h3', outcome: 'failed' },
    ]);
    expect(guest?.refusals).toEqual([
      { destination: null, field: 'attempts', reason: 'are used up; the last, m2 to h3 failed: so it said' },
    ]);
    expect(of(w).phase).toBe('incomplete');
    expect(states(w)).toEqual({ vm01: 'refused' });
  });

  it('names what can’t go with the field that failed, and moves the rest', () => {
    w.apply({
      kind: 'StandardSwitch',
      name: 'inner',
      spec: { members: { h1: {} } },
    });
    w.apply(group('inside', { switch: 'inner' }));
    w.facts('h1', plug('if-60', mac(60), { owner: 'appliance', profile: 'inside', switch: 'inner' }));
    w.facts('h1', plug('if-61', mac(61), { owner: 'box', kind: 'container' }));
    w.facts('h1', plug('if-62', mac(62), { owner: 'h1', kind: 'kernel' }));
    w.do(START);
    runToEnd(w);
    expect(of(w).phase).toBe('incomplete');
    const refused = Object.fromEntries(
      of(w).guests.flatMap((g) => (g.refusals.length > 0 ? [[g.owner, g.refusals]] : [])),
    );
    expect(refused).toEqual({
      appliance: [
        {
          destination: null,
          field: 'ports.p6.switch',
          reason: 'is an internal-only standard switch of h1 and reaches no other host',
        },
      ],
      box: [
        { destination: null, field: 'ports.p8.connectee.kind', reason: expect.stringContaining('container') },
      ],
    });
    expect(states(w)).toMatchObject({ vm01: 'moved', vm05: 'moved', appliance: 'refused', box: 'refused' });
  });

  it('sends nothing to hosts that are in maintenance, or not heard of', () => {
    w = fullHost(1);
    w.apply(host('h2', { maintenance: true }));
    w.do(START);
    const silent = ['h3', 'h4'] as HostName[];
    expect(types(advance(w, { silent }))).toEqual(['EvacuationRefused', 'EvacuationAdvanced']);
    expect(of(w).guests[0]?.refusals).toEqual([
      { destination: 'h2', field: 'destination', reason: 'is in maintenance' },
      { destination: 'h3', field: 'destination', reason: 'h3 is not heard of' },
      { destination: 'h4', field: 'destination', reason: 'h4 is not heard of' },
    ]);
  });

  it('sends off who comes while it runs, whose port is bound and marked', () => {
    w.do(START);
    advance(w);
    const [bound] = w
      .facts('h1', plug('if-70', mac(70), { owner: 'late' }))
      .filter((e) => e.type === 'PortBound');
    expect(bound).toMatchObject({ host: 'h1', inMaintenance: true });
    runToEnd(w);
    expect(states(w)).toMatchObject({ late: 'moved' });
  });

  it('waits for a guest that somebody else moves', () => {
    w = fullHost(1);
    w.facts('h3', plug('if-1', mac(1), { owner: 'vm01' }));
    w.do(START);
    expect(states(w)).toEqual({ vm01: 'moving' });
    expect(w.refused(advancing(w)).code).toBe('unavailable');
    ends(w, 'm1', 'completed');
    expect(types(advance(w))).toEqual(['EvacuationAdvanced']);
    expect(of(w)).toMatchObject({ phase: 'completed', guests: [] });
  });

  it('aborted: sends nobody else, and is over when those on their way have arrived', () => {
    w.do(START);
    advance(w);
    w.do({ type: 'AbortEvacuation', evacuation: 'e1' as never, reason: 'not today' });
    expect(of(w)).toMatchObject({ phase: 'aborting', why: 'not today', endedAt: null });
    expect(w.refused(advancing(w)).code).toBe('unavailable');
    runToEnd(w);
    expect(of(w)).toMatchObject({ phase: 'aborted', why: 'not today' });
    expect(states(w)).toEqual({ vm01: 'moved', vm02: 'moved' });
    expect(w.state.hosts.get('h1' as HostName)?.maintenance).toBe(true);
  });

  it('aborted with those on their way: they are called back', () => {
    w.do(START);
    advance(w);
    const abort = {
      type: 'AbortEvacuation',
      evacuation: 'e1' as never,
      reason: 'fire',
      abortRunning: true,
    } as const;
    w.do(abort);
    expect(of(w)).toMatchObject({ phase: 'aborted', endedAt: w.now });
    expect(w.state.moving.size).toBe(0);
    expect(states(w)).toEqual({ vm01: 'stays', vm02: 'stays' });
    expect(w.do(abort)).toEqual([]);
  });

  it('is aborted when the host is taken out of maintenance', () => {
    w.do(START);
    advance(w);
    w.apply(host('h1'));
    advance(w);
    expect(of(w)).toMatchObject({ phase: 'aborting', why: 'h1 is not in maintenance any more' });
  });

  it('refuses a second one of the host, and what names no host that could take a guest', () => {
    w.do(START);
    expect(w.refused(START)).toMatchObject({ code: 'refused', message: expect.stringContaining('(e1)') });
    w.apply(host('h3', { maintenance: true }));
    const bad: [object, string, string][] = [
      [{ host: 'h9' }, 'not-found', 'host'],
      [{ host: 'h2', to: ['h4', 'h9'] }, 'not-found', 'to[1]'],
      [{ host: 'h2', to: ['h2'] }, 'refused', 'to[0]'],
      [{ host: 'h2', to: ['h3'] }, 'refused', 'to[0]'],
      [{ host: 'h2', parallel: 0 }, 'invalid', 'parallel'],
      [{ host: 'h2', attempts: 11 }, 'invalid', 'attempts'],
      [{ host: 'h2', reason: '' }, 'invalid', 'reason'],
    ];
    for (const [more, code, field] of bad) {
      expect(w.refused({ ...START, ...more } as Command)).toMatchObject({ code, details: [{ field }] });
    }
  });

  it('refuses proposals of an earlier episode, and an abort of what is over', () => {
    w = fullHost(1);
    w.do(START);
    const late = advancing(w);
    runToEnd(w);
    expect(w.refused(late).code).toBe('fenced');
    expect(w.refused({ type: 'AbortEvacuation', evacuation: 'e1' as never, reason: 'x' })).toMatchObject({
      code: 'refused',
      details: [{ reason: 'is over: it is completed' }],
    });
  });

  it('goes through a snapshot as it is', () => {
    w.do(START);
    advance(w);
    const json = stateDigestInput(w.state);
    const back = stateFromJson(JSON.parse(JSON.stringify(json)));
    expect(back.ok && canonicalJson(stateDigestInput(back.value))).toBe(canonicalJson(json));
  });
});

describe('the limit of a host', () => {
  it('refuses a request beyond it, on either side, with what is under way', () => {
    const w = fullHost(4);
    w.facts('h2', plug('if-80', mac(80), { owner: 'vm80' }));
    const go = (owner: string, destination: string): Command => ({
      type: 'StartMigration',
      owner,
      destination: destination as HostName,
    });
    w.do(go('vm01', 'h3'));
    w.do(go('vm02', 'h4'));
    expect(w.refused(go('vm03', 'h2')).details).toEqual([
      {
        field: 'source.migrationLimit',
        value: '"h1"',
        reason: 'has as many guests leaving as it takes at once (m1, m2)',
        expected: 'one of them to end, or spec.migrationLimit of host h1 to be raised',
      },
    ]);
    w.do(go('vm80', 'h3'));
    w.apply(host('h1', { migrationLimit: 4 }));
    expect(w.refused(go('vm03', 'h3')).details).toMatchObject([
      { field: 'destination.migrationLimit', value: '"h3"' },
    ]);
    w.do(go('vm03', 'h4'));
    ends(w, 'm1', 'completed');
    w.do(go('vm04', 'h3'));
  });

  it('counts what somebody else moves, and can’t refuse it', () => {
    const w = fullHost(3, 1);
    w.facts('h2', plug('if-1', mac(1), { owner: 'vm01' }));
    expect(types(w.facts('h2', plug('if-2', mac(2), { owner: 'vm02' })))).toContain('MigrationStarted');
    const [one, two] = w.refused({
      type: 'StartMigration',
      owner: 'vm03',
      destination: 'h2' as HostName,
    }).details;
    expect([one?.field, two?.field]).toEqual(['source.migrationLimit', 'destination.migrationLimit']);
  });
});
