import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_GROUPS, Memberships } from './memberships.js';

const group = (n: number) => ({ family: 4, address: 0xef00_0000n + BigInt(n) }) as const;

describe('who listens to what', () => {
  it('tells the same object until something changes', () => {
    const table = new Memberships();
    table.join(1, 100, group(1), 10);
    const before = table.facts();
    table.join(1, 100, group(1), 20);
    table.expire(15);
    expect(table.facts()).toBe(before);
    expect(before.groups).toEqual([{ segment: 100, group: group(1), slots: [1] }]);
    table.expire(20);
    expect(table.facts().groups).toEqual([]);
  });

  it('holds what was left until nobody says it again', () => {
    const table = new Memberships();
    table.join(1, 100, group(1), 100);
    expect(table.leave(2, 100, group(1), 5)).toBe(false);
    expect(table.leave(1, 100, group(1), 5)).toBe(true);
    table.join(1, 100, group(1), 100);
    table.expire(5);
    expect(table.members(100, group(1))).toEqual([1]);
    table.leave(1, 100, group(1), 5);
    table.expire(5);
    expect(table.members(100, group(1))).toEqual([]);
  });

  it('refuses what is beyond a port’s share, says so, and takes nothing from others', () => {
    const table = new Memberships();
    const taken = Array.from({ length: MAX_GROUPS + 5 }, (_, n) => table.join(1, 0, group(n), 10));
    expect(taken.filter((ok) => ok)).toHaveLength(MAX_GROUPS);
    expect(table.join(2, 0, group(999), 10)).toBe(true);
    expect(table.facts().refused).toEqual([1]);
    table.expire(10);
    expect(table.facts()).toEqual({ settled: [], routers: [], groups: [], refused: [] });
    expect(table.join(1, 0, group(999), 20)).toBe(true);
  });

  it('holds as much as it counts, whatever is said in whatever order', () => {
    const change = fc.record({
      what: fc.constantFrom('join', 'leave', 'router', 'expire', 'keep'),
      slot: fc.integer({ min: 1, max: 3 }),
      n: fc.nat(90),
      at: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), (changes) => {
        const table = new Memberships();
        for (const { what, slot, n, at } of changes) {
          if (what === 'join') table.join(slot, n % 3, group(n), at);
          else if (what === 'router') table.join(slot, n, null, at);
          else if (what === 'leave') table.leave(slot, n % 3, group(n), at);
          else if (what === 'expire') table.expire(at);
          else table.keep(new Set([slot]));
        }
        const { groups, routers } = table.facts();
        for (const slot of [1, 2, 3]) {
          const held = groups.filter(({ slots }) => slots.includes(slot)).length;
          expect(held + routers.filter((r) => r.slot === slot).length).toBeLessThanOrEqual(MAX_GROUPS);
        }
        table.expire(51);
        expect([table.facts().groups, table.facts().routers]).toEqual([[], []]);
        // Nothing is counted any more: a port has its whole share again.
        for (let n = 0; n < MAX_GROUPS; n += 1) expect(table.join(1, 0, group(n), 99)).toBe(true);
      }),
    );
  });
});
