import { describe, expect, it } from '@jest/globals';
import { type Action, type FlowUpdate } from '#openflow';
import { TakenAlong } from './taken-along.js';

const removed = (reason: number, ...actions: readonly Action[]): FlowUpdate => ({
  event: 'removed',
  reason,
  flow: { table: 0, priority: 1, match: {}, cookie: 1n, actions },
});
const [DELETE, GROUP, METER] = [2, 3, 4];
const meter: Action = { kind: 'meter', meter: 16 };
const group = (id: number): Action => ({ kind: 'group', group: id });

describe('what went with its flows', () => {
  it('is told with the first of them, and once', () => {
    const along = new TakenAlong();
    const told = along.gone('br', [
      removed(METER, meter),
      removed(METER, meter, group(1)),
      removed(GROUP, group(2)),
    ]);
    expect(told.flatMap((e) => e.mods.map((m) => `${m.kind} ${m.command}`))).toEqual([
      'meter-mod delete',
      'group-mod delete',
    ]);
    expect(along.repeats({ kind: 'meter-mod', command: 'delete', id: 16 })).toBe(true);
    expect(along.repeats({ kind: 'meter-mod', command: 'delete', id: 16 })).toBe(false);
    expect(along.repeats({ kind: 'meter-mod', command: 'delete', id: 17 })).toBe(false);
    along.forget();
    expect(along.repeats({ kind: 'group-mod', command: 'delete', id: 2 })).toBe(false);
  });

  it('is not guessed of flows that somebody deleted, nor of one that names several groups', () => {
    const updates = [removed(DELETE, meter, group(1)), removed(GROUP, group(1), group(2))];
    expect(new TakenAlong().gone('br', updates)).toEqual([]);
  });
});
