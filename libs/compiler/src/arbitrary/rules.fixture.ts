import fc from 'fast-check';

export const range = (from: number, most: number) =>
  fc
    .tuple(fc.integer({ min: from, max: most }), fc.integer({ min: from, max: most }))
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

const flags = fc.constantFrom({ set: ['syn'], clear: ['ack'] }, { set: [], clear: ['rst'] });
const mark = fc.constantFrom({ cos: 5 }, { cos: 0 });
const rate = fc.record({ unit: fc.constantFrom('pps', 'kbps'), rate: fc.integer({ min: 1, max: 1e9 }) });
const allowed = fc
  .record({ direction: fc.constantFrom('in', 'out', 'both'), tier: fc.constantFrom(0, 1), mark, rate })
  .map((r) => ({ name: 'limited', enabled: true, action: 'allow', match: {}, ...r }));
/** Three that are there, and one that is not. */
const setName = fc.constantFrom('a', 'b', 'p', 'none');
const others = fc.array(
  fc.record({
    name: fc.constant('r'),
    direction: fc.constantFrom('in', 'out', 'both'),
    tier: fc.constantFrom(0, 1, 1, 3),
    enabled: fc.constantFrom(true, true, true, false),
    action: fc.constantFrom('allow', 'drop', 'reject', 'pass', 'allow-stateless'),
    match: fc.oneof(
      fc.record({ ipProtocol: fc.constantFrom(6, 17, 132), dstPort: range(0, 65_535) }),
      fc.record({ src: fc.constantFrom('10.0.0.0/8', '::/0', '2001:db8::/32') }),
      fc.record({ icmpType: fc.constantFrom(0, 8, 128), icmpCode: fc.constantFrom(0, 3) }),
      fc.record({ etherType: fc.constantFrom(0x0806, 0x0800) }),
      fc.record({ ipProtocol: fc.constant(6), tcpFlags: flags }),
      fc.record({ ipVersion: fc.constantFrom(4, 6), dscp: fc.nat(63), cos: fc.nat(7) }),
      fc.record({
        vlan: fc.constantFrom(0, 3),
        srcMac: fc.constantFrom('02:00:00:00:00:00/ff:00:00:00:00:00'),
      }),
      fc.record({ fragments: fc.constantFrom('first', 'later') }),
      fc.record({ srcSet: setName, dstSet: setName }, { requiredKeys: [] }),
      fc.record({ ipVersion: fc.constantFrom(4, 6), dstSet: setName }),
      fc.constant({}),
    ),
  }),
  { maxLength: 4 },
);
const rules = fc.tuple(others, fc.array(allowed, { maxLength: 2 })).map(([a, b]) => [...a, ...b]);
export const filter = fc.record({
  stateful: fc.constantFrom(true, false),
  default: fc.constantFrom('allow', 'drop'),
  rules,
});
