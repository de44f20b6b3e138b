import { describe, expect, it } from '@jest/globals';
import { type Epoch, type HostName, type PortId } from '#kernel';
import { ZERO_COUNTERS, type Fact } from '#domain';
import { FactJournal, type FactSink, type JournalState } from './journal.js';

const opened: Fact = {
  type: 'SegmentOpened',
  port: 'p1' as PortId,
  epoch: 1 as Epoch,
  incarnation: 'i1',
  raw: ZERO_COUNTERS,
};
const closed: Fact = { ...opened, type: 'SegmentClosed' };
const inventory: Fact = { type: 'Inventory', interfaces: [] };
const gone: Fact = { type: 'InterfaceUnplugged', ifaceId: 'vm-1' };

const journal = (boot: string, restored: JournalState | null, sink: FactSink = async () => true) =>
  new FactJournal(
    'alpha' as HostName,
    boot,
    sink,
    async () => undefined,
    () => 7,
    () => () => undefined,
    restored,
  );

describe('the journal of facts', () => {
  it('goes on with its numbers after a restart under the same boot', () => {
    const first = journal('boot-1', null);
    first.record(opened);
    first.record(closed);
    const next = journal('boot-1', first.state);
    expect(next.boot).toBe(first.boot);
    expect(next.state).toEqual(first.state);
  });

  it('keeps what carries counters over a new boot, in order and under numbers of its own', () => {
    const first = journal('boot-1', null);
    for (const fact of [inventory, opened, gone, closed]) first.record(fact);
    first.accepted(first.boot, 1);
    const next = journal('boot-2', first.state);
    expect(next.boot).not.toBe(first.boot);
    next.record(inventory);
    expect(next.state.facts.map(({ seq, fact }) => [seq, fact.type])).toEqual([
      [1, 'SegmentOpened'],
      [2, 'SegmentClosed'],
      [3, 'Inventory'],
    ]);
  });

  it('drops what the log has, and only that', () => {
    const it = journal('boot-1', null);
    for (const fact of [opened, closed]) it.record(fact);
    it.accepted('another boot', 2);
    expect(it.pending).toBe(2);
    it.accepted(it.boot, 1);
    expect(it.state.facts.map((f) => f.seq)).toEqual([2]);
  });
});
