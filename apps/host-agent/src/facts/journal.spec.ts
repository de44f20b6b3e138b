import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName } from '#kernel';
import { type Fact, type NumberedFact } from '#domain';
import { ManualClock, settle } from '../agent.fixture.js';
import { FactJournal, parseJournal, type JournalState } from './journal.js';

const gone = (ifaceId: string): Fact => ({ type: 'InterfaceUnplugged', ifaceId });
const closing = { type: 'SegmentClosed' } as unknown as Fact;

describe('the journal of facts', () => {
  let clock: ManualClock;
  let sent: NumberedFact[][];
  let afters: (number | undefined)[];
  let reachable: boolean;
  let disk: JournalState | null;
  let written: (() => void)[];
  let slow: boolean;
  let full: boolean;

  beforeEach(() => {
    clock = new ManualClock();
    sent = [];
    afters = [];
    reachable = true;
    disk = null;
    written = [];
    slow = false;
    full = false;
  });

  const journal = (boot = 'boot', capacity = 10): FactJournal =>
    new FactJournal(
      'h1' as HostName,
      boot,
      (batch) => {
        if (reachable) sent.push([...batch.facts]);
        if (reachable) afters.push(batch.after);
        return Promise.resolve(reachable);
      },
      async (state) => {
        if (full) throw new Error('no space left on device');
        if (slow) await new Promise<void>((resolve) => written.push(resolve));
        disk = structuredClone(state);
      },
      clock.now,
      clock.after,
      disk,
      capacity,
    );
  const seqs = (): number[][] => sent.map((batch) => batch.map((f) => f.seq));

  it('numbers facts, sends them in order, and keeps them until the log has them', async () => {
    const j = journal();
    j.record(gone('a'));
    j.record(gone('b'));
    await settle();
    expect(seqs().flat()).toEqual([1, 2]);
    expect(j.pending).toBe(2);
    j.accepted(j.boot, 1);
    j.accepted('another boot', 9);
    expect(j.pending).toBe(1);
    j.resendAll();
    await settle();
    expect(seqs().at(-1)).toEqual([2]);
  });

  it('tells nothing that the disk did not take, and all of it when it does', async () => {
    full = true;
    const j = journal();
    j.record(gone('a'));
    await settle();
    j.record(gone('b'));
    clock.advance(2_000);
    await settle();
    expect(sent).toEqual([]);
    full = false;
    clock.advance(1_000);
    await settle();
    expect(seqs().flat()).toEqual([1, 2]);
    expect(disk).toMatchObject({ next: 3, facts: [{ seq: 1 }, { seq: 2 }] });
  });

  it('tries again when the centre can’t be reached', async () => {
    reachable = false;
    const j = journal();
    j.record(gone('a'));
    await settle();
    expect(sent).toEqual([]);
    reachable = true;
    clock.advance(500);
    await settle();
    expect(seqs()).toEqual([[1]]);
  });

  it('tells nothing before it is on disk', async () => {
    slow = true;
    const j = journal();
    j.record(gone('a'));
    await settle();
    expect(sent).toEqual([]);
    written.forEach((done) => done());
    await settle();
    expect(seqs()).toEqual([[1]]);
  });

  it('goes on numbering after a restart in the same boot, and begins anew in another', async () => {
    const first = journal();
    first.record(gone('a'));
    await settle();
    const second = journal();
    expect([second.boot, second.pending]).toEqual([first.boot, 1]);
    second.record(gone('b'));
    await settle();
    expect(seqs().at(-1)).toContain(2);
    clock.advance(1);
    const other = journal('boot2');
    expect([other.boot === first.boot, other.pending]).toEqual([false, 0]);
  });

  it('keeps what carries counters over a new boot, in order and under numbers of its own', async () => {
    const first = journal();
    const opened = { type: 'SegmentOpened' } as unknown as Fact;
    const inventory: Fact = { type: 'Inventory', interfaces: [] };
    for (const fact of [inventory, opened, gone('a'), closing]) first.record(fact);
    await settle();
    first.accepted(first.boot, 1);
    await settle();
    const next = journal('boot2');
    expect(next.boot).not.toBe(first.boot);
    next.record(inventory);
    expect(next.state.facts.map(({ seq, fact }) => [seq, fact.type])).toEqual([
      [1, 'SegmentOpened'],
      [2, 'SegmentClosed'],
      [3, 'Inventory'],
    ]);
  });

  it('refuses what is too much, but never counters, and only the last inventory counts', async () => {
    reachable = false;
    const j = journal('boot', 3);
    for (const id of ['a', 'b']) {
      j.record({ type: 'Inventory', interfaces: [] });
      j.record(gone(id));
    }
    expect(j.pending).toBe(3);
    j.record(gone('c'));
    j.record(closing);
    expect([j.pending, j.refused]).toEqual([4, 1]);
    await settle();
    expect(disk?.facts).toHaveLength(4);
  });

  it('never refuses that a port was activated, and asks for one inventory when there is room for refused edges', async () => {
    const j = journal('boot', 2);
    let asked = 0;
    j.onRoom(() => {
      asked += 1;
      j.record({ type: 'Inventory', interfaces: [] });
    });
    for (const id of ['a', 'b', 'c', 'd']) j.record(gone(id));
    j.record({ type: 'PortActivated', port: 'p1', epoch: 2 } as unknown as Fact);
    expect([j.pending, j.refused]).toEqual([3, 2]);
    j.accepted(j.boot, 1);
    expect(asked).toBe(0);
    j.accepted(j.boot, 2);
    j.accepted(j.boot, 3);
    await settle();
    expect(asked).toBe(1);
    expect(j.state.facts.map((f) => f.fact.type)).toEqual(['Inventory']);
  });

  it('sends all again at once, from where the log is, when that holds less: it removed the host and has it anew', async () => {
    const j = journal();
    for (const id of ['a', 'b', 'c']) j.record(gone(id));
    await settle();
    j.accepted(j.boot, 1);
    const before = sent.length;
    j.accepted(null, 0);
    await settle();
    expect([seqs().slice(before), afters.at(-1)]).toEqual([[[2, 3]], 0]);
    j.accepted(null, 0);
    j.record(gone('d'));
    await settle();
    expect([seqs().slice(before + 1), afters.at(-1)]).toEqual([[[4]], 3]);
  });

  it('sends again what was delivered and never accepted: after 30 s, then ever less often', async () => {
    const j = journal();
    j.record(gone('a'));
    await settle();
    clock.advance(29_000);
    j.record(gone('b'));
    await settle();
    expect(seqs()).toEqual([[1], [2]]);
    clock.advance(1_000);
    await settle();
    expect(seqs()).toEqual([[1], [2], [1, 2]]);
    clock.advance(30_000);
    await settle();
    expect(seqs()).toHaveLength(3);
    clock.advance(30_000);
    await settle();
    expect(seqs()).toHaveLength(4);
    j.accepted(j.boot, 1);
    clock.advance(30_000);
    await settle();
    expect(seqs().at(-1)).toEqual([2]);
    j.accepted(j.boot, 2);
    clock.advance(900_000);
    await settle();
    expect(seqs()).toHaveLength(5);
  });

  it('sends all of it again also when asked while a batch is under way', async () => {
    const j = journal();
    j.record(gone('a'));
    await settle();
    j.record(gone('b'));
    await Promise.resolve();
    j.resendAll();
    await settle();
    expect(seqs().at(-1)).toEqual([1, 2]);
  });

  it('says with each batch which fact stands before it, also after a restart and in a log that was restored', async () => {
    reachable = false;
    const j = journal();
    j.record({ type: 'Inventory', interfaces: [] });
    j.record(gone('a'));
    j.record({ type: 'Inventory', interfaces: [] });
    reachable = true;
    await settle();
    clock.advance(500);
    await settle();
    expect([seqs(), afters]).toEqual([[[2, 3]], [0]]);
    j.accepted(j.boot, 2);
    j.record(gone('b'));
    await settle();
    expect([seqs().at(-1), afters.at(-1)]).toEqual([[4], 3]);
    const again = journal();
    again.record(gone('c'));
    await settle();
    expect([seqs().at(-1)?.[0], afters.at(-1)]).toEqual([3, 2]);
    again.accepted(null, 0);
    again.resendAll();
    await settle();
    expect([seqs().at(-1)?.[0], afters.at(-1)]).toEqual([3, 0]);
  });

  it.each([
    [{ boot: 'x', next: 1, facts: [], accepted: 'y' }, 'journal.accepted'],
    [null, 'journal.boot'],
    [{ boot: 'x', next: 0, facts: [] }, 'journal.next'],
    [{ boot: 'x', next: 2, facts: [{ seq: 1, at: 0, fact: { type: 'Nonsense' } }] }, 'facts'],
  ])('does not believe %j on disk', (value, field) => {
    const parsed = parseJournal(value);
    expect(parsed.ok ? null : parsed.error.details[0]?.field).toContain(field);
  });
});
