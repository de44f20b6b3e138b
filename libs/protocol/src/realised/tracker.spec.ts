import { describe, expect, it } from '@jest/globals';
import { type HostName, type PortId, type Revision } from '#kernel';
import { type Report, type StateDocument } from '#contracts';
import { type DocumentChange } from '../projection/documents.js';
import { VirtualClock } from '../simulation/virtual-clock.js';
import { lineageOf } from '../simulation/world.js';
import { Holdings } from './holdings.js';
import { RealisedTracker } from './tracker.js';

const lineage = lineageOf(1);
const [a, b] = ['a', 'b'] as HostName[] as [HostName, HostName];
const r = (n: number) => n as Revision;

const change = (key: string, rest: object): DocumentChange => ({
  key,
  document: { schema: 1, key, lineage, revision: 1, ...rest } as unknown as StateDocument,
});
const host = (name: string, groups: string[] = []) =>
  change(`h.${name}.host`, { type: 'host', host: name, ports: [], groups, switches: [], migrations: [] });
const port = (name: string, id: string, group: string) =>
  change(`h.${name}.port.${id}`, { type: 'port', port: id, host: name, group, switch: 's' });
const noPort = (name: string, id: string) =>
  change(`h.${name}.port.${id}`, { type: 'tombstone', of: 'port' });
const group = (name: string) => change(`s.group.${name}`, { type: 'group', group: name });

function given() {
  const clock = new VirtualClock();
  const tracker = new RealisedTracker(clock);
  tracker.committed(lineage, r(1), [host('a'), host('b'), group('web'), group('db')]);
  tracker.committed(lineage, r(2), [port('a', 'p1', 'web'), port('b', 'p2', 'db')]);
  const says = (from: HostName, realised: number, more: Partial<Report> = {}) =>
    tracker.report(from, {
      schema: 1,
      host: from,
      lineage,
      boot: 'b1',
      realised: r(realised),
      received: r(realised),
      exceptions: [],
      time: clock.now(),
      version: '1',
      driver: 'simulated',
      ...more,
    });
  const outcome = (n: number) => {
    const it = tracker.outcome(r(n));
    if (!it.ok) throw new Error(it.error.message);
    return it.value;
  };
  return { clock, tracker, says, outcome };
}

const exception = (port: string | null) => ({
  port: port as PortId | null,
  object: 'port',
  code: 'full',
  reason: 'table full',
});

describe('realised tracking', () => {
  it('asks only hosts with an affected port', () => {
    const { tracker, says, outcome } = given();
    tracker.committed(lineage, r(3), [group('web')]);
    expect(tracker.affectedHosts(r(3))).toEqual([a]);
    expect(outcome(3)).toMatchObject({ done: false, targets: 1, waiting: [{ host: a, reason: 'behind' }] });
    says(a, 3);
    expect(outcome(3)).toMatchObject({ done: true, realised: [a], waiting: [] });
  });

  it('asks for a set those with a port whose rules name it, on whichever level', () => {
    const { clock, tracker, says, outcome } = given();
    const sets = (...names: string[]) => ({ sets: names.map((name) => ({ name, minRevision: 1 })) });
    const saying = ({ key, document }: DocumentChange, more: object): DocumentChange =>
      change(key, { ...document, ...more });
    const set = (name: string) => change(`s.set.${name}`, { type: 'set', set: name });
    const concerned = (n: number, name: string, ...changes: DocumentChange[]) => {
      tracker.committed(lineage, r(n), changes);
      tracker.committed(lineage, r(n + 1), [set(name)]);
      return tracker.affectedHosts(r(n + 1));
    };
    expect(concerned(3, 'one')).toEqual([]);
    expect(concerned(5, 'one', saying(group('web'), sets('one')))).toEqual([a]);
    expect(concerned(7, 'two', saying(port('b', 'p2', 'db'), sets('two')))).toEqual([b]);
    expect(concerned(9, 'two', port('b', 'p2', 'db'))).toEqual([]);
    const member = saying(host('b'), { switches: [{ switch: 's', uplinks: {} }] });
    const sw = change('s.switch.s', { type: 'switch', switch: 's', ...sets('three') });
    expect(concerned(11, 'three', member, sw)).toEqual([b]);
    tracker.committed(lineage, r(13), [set('one')]);
    says(a, 13, { exceptions: [exception('p1')] });
    expect(outcome(13)).toMatchObject({ done: false, waiting: [{ host: a, reason: 'exception' }] });
    // An exception that has nothing to do with the set does not stand in its way.
    expect(
      concerned(14, 'one', saying(group('web'), sets()), saying(port('a', 'p3', 'db'), sets('one'))),
    ).toEqual([a]);
    expect(says(a, 15, { exceptions: [exception('p1')], time: clock.now() + 1 }).ok).toBe(true);
    expect(outcome(15).done).toBe(true);
  });

  it('asks one more host when a migration brings an affected port there', () => {
    const { tracker, says, outcome } = given();
    tracker.committed(lineage, r(3), [group('web')]);
    says(a, 3);
    tracker.committed(lineage, r(4), [port('b', 'p1', 'web')]);
    expect(outcome(3)).toMatchObject({ done: false, targets: 2, waiting: [{ host: b }] });
    tracker.committed(lineage, r(5), [noPort('b', 'p1')]);
    expect(outcome(3).done).toBe(true);
  });

  it('does not ask hosts that only preload a group', () => {
    const { tracker } = given();
    tracker.committed(lineage, r(3), [host('b', ['web'])]);
    tracker.committed(lineage, r(4), [group('web')]);
    expect(tracker.affectedHosts(r(4))).toEqual([a]);
  });

  it('counts an exception on an affected port as not done, and one elsewhere not at all', () => {
    const { tracker, says, outcome } = given();
    tracker.committed(lineage, r(3), [group('web')]);
    says(a, 3, { exceptions: [exception('p1')] });
    expect(outcome(3)).toMatchObject({
      done: false,
      waiting: [{ reason: 'exception', exceptions: [{ port: 'p1' }] }],
    });
    says(a, 3, { exceptions: [exception('p9')] });
    expect(outcome(3).done).toBe(true);
    says(a, 3, { exceptions: [exception(null)] });
    expect(outcome(3).done).toBe(false);
  });

  it('does not wait for a host that only has advice to give', () => {
    const { tracker, says, outcome } = given();
    tracker.committed(lineage, r(3), [group('web')]);
    says(a, 3, { exceptions: [{ ...exception(null), code: 'uplink-advice' }] });
    expect(outcome(3)).toMatchObject({ done: true, realised: [a], waiting: [] });
  });

  it('goes by the number of a report, not by the host’s clock, which may be set back', async () => {
    const { clock, tracker, says } = given();
    await clock.advance(1_000);
    says(a, 1, { time: 1_000, n: 8 });
    expect(says(a, 2, { time: 10, n: 9 }).ok).toBe(true);
    expect(tracker.realised(a)).toBe(2);
    expect(says(a, 1, { time: 2_000, n: 7 }).ok).toBe(false);
    expect(says(a, 1, { time: 5 }).ok).toBe(false);
    expect(says(a, 1, { boot: 'b2', time: 5, n: 1 }).ok).toBe(true);
  });

  it('does not believe a report ahead of the log, of another lineage, from another host, or that came late', () => {
    const { tracker, says, outcome } = given();
    expect(says(a, 9)).toMatchObject({ ok: false, error: { code: 'conflict' } });
    expect(outcome(2).waiting).toHaveLength(2);
    expect(tracker.standings()[0]).toMatchObject({ host: a, state: 'ahead' });
    says(a, 2, { lineage: lineageOf(2) });
    expect(tracker.standings()[0]).toMatchObject({ state: 'other-lineage', realised: null });
    expect(says(a, 2, { host: b })).toMatchObject({ ok: false, error: { details: [{ field: 'host' }] } });
    says(a, 2, { time: 5 });
    expect(outcome(2).waiting).toHaveLength(2);
  });

  it('names a host that is down, and a wait ends when only such are missing', async () => {
    const { clock, tracker, says } = given();
    tracker.committed(lineage, r(3), [group('web'), group('db')]);
    says(a, 3);
    let result: unknown;
    void tracker.wait(r(3), 60_000).then((it) => (result = it));
    await clock.advance(14_000);
    expect(result).toBeUndefined();
    says(a, 3, { time: clock.now() });
    await clock.advance(3000);
    expect(result).toMatchObject({
      ok: true,
      value: { done: false, realised: [a], waiting: [{ host: b, reason: 'down', lastSeen: null }] },
    });
  });

  it('takes nobody for down whom it had no chance to hear: a standby that begins to lead', async () => {
    const { clock, tracker, outcome, says } = given();
    says(a, 2);
    await clock.advance(60_000);
    const documents = new Map([host('a'), host('b'), port('b', 'p2', 'db')].map((c) => [c.key, c.document]));
    tracker.begin(lineage, r(2), await Holdings.of(documents, () => Promise.resolve()));
    expect(outcome(2)).toMatchObject({ done: false, waiting: [{ host: b, reason: 'behind' }] });
    expect(tracker.standings().map((s) => s.state)).toEqual(['current', 'unheard']);
    await clock.advance(16_000);
    expect(outcome(2)).toMatchObject({ waiting: [{ host: b, reason: 'down' }] });
  });

  it('knows whom the last commands of another concern, from what it read as a standby', async () => {
    const { tracker, outcome } = given();
    const hosts = new Set<HostName>();
    const none = { switches: new Set<never>(), migrations: new Set<never>(), sets: new Set<never>() };
    const touched = { ...none, hosts, ports: new Set<never>(), groups: new Set(['db']) as never };
    tracker.followed(lineage, r(3), touched);
    const documents = new Map(
      [host('a'), host('b'), port('a', 'p1', 'web'), port('b', 'p2', 'db')].map((c) => [c.key, c.document]),
    );
    tracker.begin(lineage, r(4), await Holdings.of(documents, () => Promise.resolve()));
    expect(outcome(3).waiting.map((w) => w.host)).toEqual([b]);
    expect(outcome(4).waiting.map((w) => w.host)).toEqual([a, b]);
    tracker.begin(lineageOf(2), r(4), await Holdings.of(documents, () => Promise.resolve()));
    expect(outcome(3).waiting.map((w) => w.host)).toEqual([a, b]);
  });

  it('ends a wait with the last report, at once', async () => {
    const { clock, tracker, says } = given();
    let result: unknown;
    void tracker.wait(r(2), 5000).then((it) => (result = it));
    says(a, 2);
    await clock.advance(0);
    expect(result).toBeUndefined();
    says(b, 2);
    await clock.advance(0);
    expect(result).toMatchObject({ ok: true, value: { done: true, targets: 2 } });
  });

  it('waits for a revision that is still to come, and says so when it does not', async () => {
    const { clock, tracker } = given();
    let result: unknown;
    void tracker.wait(r(7), 100).then((it) => (result = it));
    await clock.advance(100);
    expect(result).toMatchObject({ ok: false, error: { code: 'not-found' } });
  });

  it('sums up what is realised everywhere', () => {
    const { tracker, says } = given();
    tracker.committed(lineage, r(3), []);
    says(a, 3);
    expect(tracker.allRealisedUpTo().upTo).toBe(0);
    says(b, 2, { exceptions: [exception('p2')] });
    expect(tracker.allRealisedUpTo().upTo).toBe(0);
    says(b, 2);
    expect(tracker.allRealisedUpTo()).toEqual({ upTo: 3, hosts: 2 });
  });
});
