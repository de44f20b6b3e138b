import fc from 'fast-check';

const slot = fc.integer({ min: 1, max: 8 });
const slots = fc.uniqueArray(slot, { maxLength: 8 });
const group = fc.constantFrom(
  { family: 4, address: 0xef00_0001n } as const,
  { family: 6, address: (0xff15n << 112n) | 1n } as const,
);

/** What guests said of groups, in segments of their own and in others. */
export const heard = fc.record({
  settled: slots,
  routers: fc.uniqueArray(fc.record({ segment: fc.nat(4), slot }), {
    maxLength: 3,
    selector: (r) => `${r.segment} ${r.slot}`,
  }),
  groups: fc.uniqueArray(fc.record({ segment: fc.nat(4), group, slots }), {
    maxLength: 4,
    selector: (g) => `${g.segment} ${g.group.family}`,
  }),
  refused: slots,
});
export type Heard = typeof heard extends fc.Arbitrary<infer H> ? H : never;
