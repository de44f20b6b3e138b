import { describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { Moves, type Asked } from './moves.js';

const order = (more: Partial<MigrationOrder> = {}): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt: 1,
  action: 'start',
  owner: 'web',
  destination: 'south' as HostName,
  ...more,
});
const WEST = { destination: 'west' as HostName };

async function remembering(orders: readonly MigrationOrder[], disk: readonly Asked[] = []) {
  let kept = disk;
  const keep = (asked: readonly Asked[]): Promise<void> => Promise.resolve(void (kept = asked));
  const moves = new Moves(keep, disk);
  for (const one of orders) await moves.add(one, 'none||');
  return { moves, again: new Moves(keep, kept), kept: () => kept };
}

describe('what is remembered of orders', () => {
  it('is of the guest and the destination that were ordered, and of nothing else under the same id', async () => {
    const { moves, again } = await remembering([order()]);
    for (const each of [moves, again]) {
      expect(each.has(order())).toBe(true);
      const others = [order(WEST), order({ owner: 'db' }), order({ attempt: 2 })];
      expect(others.filter((other) => each.has(other))).toEqual([]);
    }
  });

  it('is found where an earlier version wrote it, and is kept once', async () => {
    const disk = [{ key: 'm1/1', owner: 'web', before: 'completed||' }];
    const { moves, kept } = await remembering([], disk);
    expect(moves.has(order())).toBe(true);
    expect(moves.has(order({ owner: 'db' }))).toBe(false);
    expect([...moves.keysOf([order()])]).toEqual(['m1/1']);
    await moves.add(order(), 'none||');
    expect(kept()).toEqual([{ key: 'm1/1', owner: 'web', before: 'none||' }]);
  });
});
