import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCidr } from '#kernel';
import { overlap } from '#openflow';
import { addressSet, mac, portSet } from '../../documents.fixture.js';
import { type SetPlan } from '../../resolve/plan.js';
import { addressRows, portRows, type Row } from './rows.js';

const plan = (document: SetPlan['document'], bit: number): SetPlan => ({
  name: document.set,
  kind: document.members.kind,
  bit,
  document,
});

/** Bits that a table gives for a value: of the row with the highest priority that matches. */
function bitsFor(rows: readonly Row[], wanted: Readonly<Record<string, bigint>>): bigint {
  const hits = rows
    .filter((row) =>
      Object.entries(row.match('src')).every(
        ([field, { value, mask }]) => ((wanted[field] ?? -1n) & (mask ?? -1n)) === value,
      ),
    )
    .sort((a, b) => b.priority - a.priority);
  return hits[0]?.bits ?? 0n;
}

const apart = (rows: readonly Row[]): boolean =>
  rows.every((a, i) =>
    rows.slice(i + 1).every((b) => a.priority !== b.priority || !overlap(a.match('src'), b.match('src'))),
  );

describe('rows of sets', () => {
  const address = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map(([a, b, c]) => (a << 16) | (b << 8) | c);
  const prefix = fc
    .tuple(address, fc.constantFrom(0, 6, 7, 14, 15, 16, 22, 23, 24, 31, 32))
    .map(([n, length]) => {
      const kept = length === 0 ? 0 : (n & (-1 << (32 - length))) >>> 0;
      return `${kept >>> 24}.${(kept >>> 16) & 255}.${(kept >>> 8) & 255}.${kept & 255}/${length}`;
    });
  const list = fc.uniqueArray(prefix, { maxLength: 8 });

  it('of addresses say of each address exactly the sets that it is in', () => {
    fc.assert(
      fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), fc.array(address), (lists, addresses) => {
        const rows = addressRows(lists.map((l, bit) => plan(addressSet(`s${bit}`, l), bit)));
        expect(apart(rows)).toBe(true);
        for (const value of addresses) {
          const expected = lists.reduce((bits, l, bit) => {
            const isIn = l.some((text) => {
              const cidr = parseCidr(text);
              if (!cidr.ok) throw new Error(text);
              const rest = BigInt(32 - cidr.value.prefix);
              return BigInt(value) >> rest === cidr.value.address >> rest;
            });
            return isIn ? bits | (1n << BigInt(bit)) : bits;
          }, 0n);
          expect(bitsFor(rows, { eth_type: 0x0800n, ipv4_src: BigInt(value) })).toBe(expected);
          expect(bitsFor(rows, { eth_type: 0x0806n, ipv4_src: BigInt(value) })).toBe(0n);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of ports say of each MAC the sets that it is in, in each segment', () => {
    const range = fc
      .tuple(fc.nat(9), fc.nat(9))
      .map(([a, b]) => ({ from: 1 + Math.min(a, b), to: 1 + Math.max(a, b) }));
    const vlan = fc.oneof(
      fc.constant({ mode: 'none' as const }),
      fc.nat(9).map((n) => ({ mode: 'access' as const, id: n + 1 })),
      range.map((r) => ({ mode: 'trunk' as const, ranges: [r] })),
    );
    const macs = fc.subarray([1, 2, 3]);
    fc.assert(
      fc.property(fc.array(fc.tuple(macs, vlan), { minLength: 1, maxLength: 4 }), (all) => {
        const rows = portRows(
          all.map(([list, v], bit) => plan(portSet(`s${bit}`, list.map(mac), v), bit)),
          { switch: 'lan' as never, privateVlans: [] },
        );
        expect(apart(rows)).toBe(true);
        for (const n of [1, 2, 3, 4])
          for (let segment = 0; segment <= 11; segment += 1) {
            const expected = all.reduce((bits, [list, v], bit) => {
              const here =
                v.mode === 'none'
                  ? segment === 0
                  : v.mode === 'access'
                    ? segment === v.id
                    : v.ranges.some((r) => r.from <= segment && segment <= r.to);
              return list.includes(n) && here ? bits | (1n << BigInt(bit)) : bits;
            }, 0n);
            const value = BigInt(`0x${mac(n).replaceAll(':', '')}`);
            expect(bitsFor(rows, { reg12: BigInt(segment), eth_src: value })).toBe(expected);
          }
      }),
      { numRuns: 100 },
    );
  });
});
