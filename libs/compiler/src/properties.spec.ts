import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diff, diffSince, observe, order, type Plan } from '#openflow';
import { faults } from './check.fixture.js';
import { compile } from './compile.js';
import {
  addressSet,
  desiredOf,
  factsOf,
  groupDoc,
  mac,
  portSet,
  switchDoc,
  TOKEN,
  type PortSpec,
} from './documents.fixture.js';
import { CompileMemo } from './memo.js';
import { MAP } from './scenario/private-vlan.fixture.js';
import { maskRange, regions } from './ranges.js';
import { allotSlots } from './slots.js';

const range = (from: number, most: number) =>
  fc
    .tuple(fc.integer({ min: from, max: most }), fc.integer({ min: from, max: most }))
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

const vlan = fc.oneof(
  fc.constant({ mode: 'none' }),
  fc.record({ mode: fc.constant('access'), id: fc.integer({ min: 1, max: 8 }) }),
  fc.tuple(range(1, 4094), fc.integer({ min: 1, max: 12 }), fc.boolean()).map(([r, native, has]) => ({
    mode: 'trunk',
    ranges: [r],
    ...(has ? { native } : {}),
  })),
  fc.constantFrom(...MAP).map(({ primary, secondary }) => ({ mode: 'private', primary, secondary })),
);
const shaping = fc.option(
  fc.record({
    average: fc.integer({ min: 1000, max: 1e10 }),
    peak: fc.integer({ min: 1000, max: 1e10 }),
    burst: fc.integer({ min: 0, max: 1e6 }),
  }),
);
const flags = fc.constantFrom({ set: ['syn'], clear: ['ack'] }, { set: [], clear: ['rst'] });
const mark = fc.constantFrom({ cos: 5 }, { cos: 0 });
const rate = fc.record({ unit: fc.constantFrom('pps', 'kbps'), rate: fc.integer({ min: 1, max: 1e9 }) });
const allowed = fc
  .record({ direction: fc.constantFrom('in', 'out', 'both'), tier: fc.constantFrom(0, 1), mark, rate })
  .map((r) => ({ name: 'limited', enabled: true, action: 'allow', match: {}, ...r }));
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
const filter = fc.record({
  stateful: fc.constantFrom(true, false),
  default: fc.constantFrom('allow', 'drop'),
  rules,
});
const prefix = fc.constantFrom(
  ...['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0', '::/0', '::', 'fe80::/10', 'fe80::1'],
);
const addresses = fc.option(
  fc.record({
    allow: fc.uniqueArray(prefix, { maxLength: 6 }),
    arp: fc.boolean(),
    nd: fc.boolean(),
    dhcp: fc.boolean(),
  }),
);
const someMacs = fc.uniqueArray(fc.constantFrom(...[1, 2, 50, 51].map(mac)), { maxLength: 3 });
const macs = fc.record({ extra: someMacs, shared: someMacs });
const said = fc.option(
  fc.record({
    shares: fc.constant(50),
    limit: fc.constantFrom(null, 1e6, 1e10),
    reservation: fc.constant(0),
    class: fc.constantFrom('vm', 'storage'),
  }),
);
const port = fc.record({
  override: fc.oneof(
    fc.constant({}),
    fc.record({
      vlan,
      filter,
      shapingIn: shaping,
      shapingOut: shaping,
      blocked: fc.boolean(),
      promiscuous: fc.boolean(),
      macChanges: fc.boolean(),
      forgedTransmits: fc.boolean(),
      addresses,
      macs,
      ipfix: fc.boolean(),
      bandwidth: said,
    }),
  ),
  role: fc.constantFrom('active', 'active', 'standby', 'retired'),
  token: fc.constantFrom(null, TOKEN),
  group: fc.constantFrom('one', 'two', 'port', 'ip-hash'),
});

type Port = typeof port extends fc.Arbitrary<infer P> ? P : never;

/** Members of two address sets, and of a set of ports with the VLAN that it means them in. */
const members = fc.record({
  a: fc.uniqueArray(prefix, { maxLength: 5 }),
  b: fc.uniqueArray(prefix, { maxLength: 5 }),
  p: fc.tuple(fc.uniqueArray(fc.constantFrom(...[1, 2, 50, 51].map(mac)), { maxLength: 4 }), vlan),
});
type Members = typeof members extends fc.Arbitrary<infer M> ? M : never;
const NO_MEMBERS: Members = { a: [], b: [], p: [[], { mode: 'none' }] };

/** What the two groups say besides how they team. */
const groupPolicy = fc.record(
  { filter, blocked: fc.boolean(), ipfix: fc.boolean(), bandwidth: said },
  { requiredKeys: [] },
);
type GroupPolicy = typeof groupPolicy extends fc.Arbitrary<infer G> ? G : never;
const NO_POLICIES: readonly [GroupPolicy, GroupPolicy] = [{}, {}];

const spread = (mode: 'port' | 'ip-hash') => {
  const usual = { standby: [], failback: true, notify: true, detection: 'link' };
  return groupDoc(mode, { teaming: { ...usual, mode, active: ['uplink1', 'uplink2'] } } as never);
};

/** Ports, groups and uplinks to ports and to the wire. */
const mirrors = fc.array(
  fc.record({
    name: fc.constant('m'),
    sources: fc.array(
      fc
        .tuple(
          fc.constantFrom(
            { port: 'p1' },
            { port: 'p2' },
            { group: 'one' },
            { uplink: 'uplink1' },
            { uplink: 'uplink2' },
          ),
          fc.constantFrom('in', 'out', 'both'),
        )
        .map(([what, direction]) => ({ ...what, direction })),
      { minLength: 1, maxLength: 3 },
    ),
    vlans: fc.constantFrom(undefined, [0], [2, 3, 9], [0, 4, 999]),
    to: fc.constantFrom({ port: 'p1' }, { port: 'p3' }, { uplinks: ['uplink2', 'uplink1'], vlan: 999 }),
    snapLength: fc.constantFrom(null, 64),
    allowTraffic: fc.boolean(),
  }),
  { maxLength: 3 },
);
const ipfix = fc.constantFrom(
  null,
  ...[true, false].map((internalOnly) => ({
    ...{ collector: '10.0.0.9:4739', domain: 1, activeTimeout: 60, sampling: 7, internalOnly },
  })),
);
const classes = fc.constantFrom({}, { storage: { shares: 50, limit: 1e7, reservation: 0 } });
const bandwidth = fc.option(fc.record({ classes, reservable: fc.constant(75) }));
const looks = fc.record({ mirrors, ipfix, bandwidth });
type Looks = typeof looks extends fc.Arbitrary<infer L> ? L : never;

const sceneOf = (ports: readonly Port[], [one, two] = NO_POLICIES, look?: Looks, its = NO_MEMBERS) => {
  const { a, b, p } = its;
  const desired = desiredOf({
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [{ ...switchDoc('lan', ['uplink1', 'uplink2']), privateVlans: MAP, ...(look as object) }],
    groups: [
      groupDoc('one', {
        ...(one as object),
        teaming: { active: ['uplink1'], standby: ['uplink2'] },
      } as never),
      spread('port'),
      spread('ip-hash'),
      groupDoc('two', {
        ...(two as object),
        teaming: { active: ['uplink2', 'uplink1'], standby: [] },
      } as never),
    ],
    sets: [addressSet('a', a), addressSet('b', b), portSet('p', ...p)],
    ports: ports.map((p, i) => ({ n: i + 1, ...p }) as unknown as PortSpec),
  });
  return { desired, facts: factsOf(desired) };
};
const scene = fc
  .tuple(fc.array(port, { maxLength: 7 }), looks, members)
  .map(([ports, look, its]) => sceneOf(ports, NO_POLICIES, look, its));

/** One port becomes another, or only its policy does. */
const edit = fc.record({ at: fc.nat(5), to: port, whole: fc.constantFrom(false, false, false, true) });
type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never;
/** Of ports, or of what one group says. */
const change = fc.oneof(
  fc.array(edit),
  fc.record({ group: fc.constantFrom(0 as const, 1 as const), policy: groupPolicy }),
  fc.record({ members }),
);
const edited = (ports: Port[], { at, to, whole }: Edit): Port[] =>
  ports.map((p, i) => (i !== at ? p : whole ? to : { ...p, override: to.override }));

type Scene = ReturnType<typeof sceneOf>;
/** Documents that say the same are the same objects, as an agent has them. */
function follow(before: Scene, { desired, facts }: Scene): Scene {
  const kept = <T>(old: readonly T[], now: readonly T[]): T[] =>
    now.map((it) => old.find((o) => text(o) === text(it)) ?? it);
  return {
    desired: {
      host: desired.host,
      ports: kept(before.desired.ports, desired.ports),
      switches: kept(before.desired.switches, desired.switches),
      groups: kept(before.desired.groups, desired.groups),
      sets: kept(before.desired.sets ?? [], desired.sets ?? []),
    },
    facts: text(facts) === text(before.facts) ? before.facts : facts,
  };
}

const text = (value: unknown): string =>
  JSON.stringify(value, (key, it: unknown) =>
    key === 'pieces' || key === 'durationMs' ? undefined : typeof it === 'bigint' ? it.toString() : it,
  );

/** Within a list of a plan, the order says nothing: what is sent is one bundle. */
function inOrder(plan: Plan): object {
  const sorted = (list: readonly unknown[]): string[] => list.map(text).sort();
  const delta = ({ add, change, remove }: Plan['bridges'][number]['flows' | 'groups' | 'meters']) =>
    [add, change, remove].map(sorted);
  return {
    ...plan,
    bridges: plan.bridges.map((b) => ({
      ...b,
      flows: delta(b.flows),
      groups: delta(b.groups),
      meters: delta(b.meters),
    })),
  };
}

describe('whatever the documents say', () => {
  it('what is remembered of other documents makes no difference', () => {
    fc.assert(
      fc.property(fc.array(scene, { minLength: 2, maxLength: 5 }), (scenes) => {
        const memo = new CompileMemo();
        for (const { desired, facts } of [...scenes, ...scenes])
          expect(text(compile(desired, facts, memo))).toBe(text(compile(desired, facts)));
      }),
      { numRuns: 60 },
    );
  });

  it('what changed of it makes the plan that the whole makes', () => {
    let quick = 0;
    let narrow = 0;
    fc.assert(
      fc.property(
        fc.array(port, { maxLength: 6 }),
        fc.array(change, { maxLength: 6 }),
        looks,
        (ports, steps, look) => {
          const memo = new CompileMemo();
          let now = ports;
          const groups: [GroupPolicy, GroupPolicy] = [...NO_POLICIES];
          let its = NO_MEMBERS;
          let { desired, facts } = sceneOf(now, groups, look, its);
          for (const step of [[], ...steps]) {
            const before = compile(desired, facts, memo);
            if (Array.isArray(step)) now = step.reduce(edited, now);
            else if ('members' in step) its = step.members;
            else groups[step.group] = step.policy;
            ({ desired, facts } = follow({ desired, facts }, sceneOf(now, groups, look, its)));
            const after = compile(desired, facts, memo);
            expect(text(after)).toBe(text(compile(desired, facts)));
            narrow += after.quarantined === before.quarantined ? 1 : 0;
            const have = observe(before.state);
            const plan = diffSince(after.state, before.state, have.interfaces);
            if (plan === null) continue;
            quick += 1;
            expect(inOrder(plan)).toEqual(inOrder(diff(after.state, have)));
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(quick).toBeGreaterThan(30);
    // Those that looked at the ports of one group alone.
    expect(narrow).toBeGreaterThan(20);
  });

  it('no two flows overlap, every reference exists, and the switch that has it is left alone', () => {
    fc.assert(
      fc.property(scene, ({ desired, facts }) => {
        const { state } = compile(desired, facts);
        expect(state.bridges.flatMap(faults)).toEqual([]);
        expect(order(diff(state, observe(state)))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('the order of documents and interfaces makes no difference', () => {
    fc.assert(
      fc.property(scene, ({ desired, facts }) => {
        const other = {
          ...desired,
          ports: [...desired.ports].reverse(),
          groups: [...desired.groups].reverse(),
          sets: [...(desired.sets ?? [])].reverse(),
        };
        const interfaces = [...facts.interfaces].reverse();
        expect(compile(other, { ...facts, interfaces })).toEqual(compile(desired, facts));
      }),
      { numRuns: 40 },
    );
  });

  it('masks cover a range exactly and once', () => {
    fc.assert(
      fc.property(range(0, 4095), (r) => {
        const masks = maskRange(r, 12);
        for (let n = 0; n < 4096; n += 1) {
          const hits = masks.filter((m) => (n & m.mask) === m.value).length;
          if (hits !== (n >= r.from && n <= r.to ? 1 : 0)) return false;
        }
        return true;
      }),
      { numRuns: 50 },
    );
  });

  it('regions hold each segment once, with exactly those that take part in it', () => {
    fc.assert(
      fc.property(fc.array(range(0, 60), { maxLength: 5 }), (items) => {
        const found = regions(items, (r) => [r]);
        for (let n = 0; n <= 60; n += 1) {
          const here = found.filter((x) => x.ranges.some((r) => r.from <= n && n <= r.to));
          const members = items.filter((r) => r.from <= n && n <= r.to);
          if (here.length !== (members.length > 0 ? 1 : 0)) return false;
          if (members.some((m, i) => here[0]?.members[i] !== m)) return false;
        }
        return true;
      }),
    );
  });

  it('slots stay with their bindings, and none is given twice', () => {
    const keys = fc.uniqueArray(fc.constantFrom('p1@1', 'p1@2', 'p2@1', 'p3@1', 'p4@9'));
    fc.assert(
      fc.property(keys, keys, (before, after) => {
        const first = allotSlots({}, before);
        const second = allotSlots(first, after);
        expect(new Set(Object.values(second)).size).toBe(after.length);
        for (const key of after) if (before.includes(key)) expect(second[key]).toBe(first[key]);
      }),
    );
  });
});
