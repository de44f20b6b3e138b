import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyStep, observe } from './apply-step.js';
import { inRound, LEARNED_OWNER, makeCookie } from './cookie.js';
import {
  type BridgeObservation,
  type BridgeState,
  type DataplaneState,
  type Observation,
} from './dataplane.js';
import { diff } from './diff.js';
import { COUNT_RATE, flowKey } from './identity.js';
import { type Action, type Flow, type Meter } from './model.js';
import { order } from './order.js';
import { PLUGGED_MARK, SWITCH_MARK } from './plan.js';
import { dangles } from './references.js';
import { type PortSettings } from './rows.js';

const OURS = makeCookie({ feature: 1, object: 1 });
const FOREIGN = 0x1234n;
const LEARNED = makeCookie({ owner: LEARNED_OWNER, feature: 6, object: 1 });

/** Small worlds, so that want and have meet often. */
const id = fc.integer({ min: 1, max: 3 });
const meters = fc.uniqueArray(
  fc.record({
    id,
    unit: fc.constantFrom('kbps' as const, 'pktps' as const),
    rate: fc.constantFrom(100, COUNT_RATE),
  }),
  { selector: (m) => m.id },
);
const groupsOf = fc.uniqueArray(
  fc.record({
    id,
    type: fc.constantFrom('all' as const, 'select' as const),
    buckets: fc.array(fc.record({ actions: fc.constant([{ kind: 'output' as const, port: 1 }]) }), {
      maxLength: 2,
    }),
  }),
  { selector: (g) => g.id },
);
const cookies = fc.constantFrom(OURS, inRound(OURS, 7), makeCookie({ feature: 2, object: 5 }));

const flowsOf = (
  meterIds: number[],
  groupIds: number[],
  cookie: fc.Arbitrary<bigint>,
): fc.Arbitrary<Flow[]> => {
  const action: fc.Arbitrary<Action> = fc.oneof(
    fc.constantFrom<Action>({ kind: 'output', port: 1 }, { kind: 'resubmit', table: 1 }),
    ...(meterIds.length > 0
      ? [fc.constantFrom(...meterIds).map((meter): Action => ({ kind: 'meter', meter }))]
      : []),
    ...(groupIds.length > 0
      ? [
          fc
            .constantFrom(...groupIds)
            .map((group): Action => ({ kind: 'clone', actions: [{ kind: 'group', group }] })),
        ]
      : []),
  );
  const flow = fc.record({
    table: fc.integer({ min: 0, max: 1 }),
    priority: fc.integer({ min: 1, max: 2 }),
    match: fc.constantFrom({}, { in_port: { value: 1n } }, { reg10: { value: 1n, mask: 1n } }),
    actions: fc.array(action, { maxLength: 2 }),
    cookie,
  });
  return fc.uniqueArray(flow, { selector: flowKey, maxLength: 6 });
};

const content = (cookie: fc.Arbitrary<bigint>) =>
  fc.tuple(meters, groupsOf).chain(([ms, gs]) =>
    flowsOf(
      ms.map((m) => m.id),
      gs.map((g) => g.id),
      cookie,
    ).map((flows) => ({ meters: ms as Meter[], groups: gs, flows })),
  );

const ports = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('eth0', 'eth1', 'eth2'),
    plugged: fc.constant('agent' as const),
    type: fc.constant(''),
    marks: fc.constantFrom({}, { 'portolan-uplink': 'uplink1' }, { 'portolan-uplink': 'uplink2' }),
  }),
  { selector: (p) => p.name },
);

const bridge = (name: string): fc.Arbitrary<BridgeState> =>
  fc
    .tuple(content(cookies), fc.constantFrom('sw1', 'sw2'), fc.constantFrom(1500, 9000), ports)
    .map(([c, of, mtu, p]) => ({ name, switch: of, mtu, ports: p, ...c }));

/** A device in at most one bridge, as on a real host. */
const state: fc.Arbitrary<DataplaneState> = fc.subarray(['br1', 'br2']).chain((names) =>
  fc.tuple(...names.map(bridge)).map((bridges) => {
    const taken = new Set<string>();
    return {
      bridges: bridges.map((b) => ({
        ...b,
        ports: b.ports.filter((p) => !taken.has(p.name) && taken.add(p.name)),
      })),
    };
  }),
);

const bridgeOf = (o: Observation, name: string): BridgeObservation | undefined =>
  o.bridges.find((b) => b.name === name);
const reach = (have: Observation, want: DataplaneState) => order(diff(want, have)).reduce(applyStep, have);

describe('diff and order', () => {
  it('find nothing to do where all is as wanted, whichever round wrote it', () => {
    fc.assert(
      fc.property(state, (want) => {
        const have = observe(want);
        const rewritten = have.bridges.map((b) => ({
          ...b,
          flows: b.flows.map((f) => ({ ...f, flow: { ...f.flow, cookie: inRound(f.flow.cookie, 99) } })),
        }));
        expect(order(diff(want, { ...have, bridges: rewritten }))).toEqual([]);
      }),
    );
  });

  it('lead from any state of ours to the wanted one', () => {
    fc.assert(
      fc.property(state, state, (want, before) => {
        const after = reach(observe(before), want);
        expect(order(diff(want, after))).toEqual([]);
        for (const b of want.bridges) {
          const got = bridgeOf(after, b.name);
          expect(got?.flows.map((f) => flowKey(f.flow)).sort()).toEqual(b.flows.map(flowKey).sort());
          expect(got?.meters.map((m) => m.id).sort()).toEqual(b.meters.map((m) => m.id).sort());
          expect(got?.groups.map((g) => g.id).sort()).toEqual(b.groups.map((g) => g.id).sort());
        }
        expect(after.bridges.map((b) => b.name).sort()).toEqual(want.bridges.map((b) => b.name).sort());
        expect(after.interfaces.map((i) => `${i.bridge}/${i.name}`).sort()).toEqual(
          observe(want)
            .interfaces.map((i) => `${i.bridge}/${i.name}`)
            .sort(),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('leave no flow without its meter and group, after any step', () => {
    fc.assert(
      fc.property(state, state, (want, before) => {
        let have = observe(before);
        for (const step of order(diff(want, have), { effective: 'always' })) {
          have = applyStep(have, step);
          for (const b of have.bridges) {
            const present = {
              meters: new Set(b.meters.map((m) => m.id)),
              groups: new Set(b.groups.map((g) => g.id)),
            };
            for (const { flow } of b.flows) expect(dangles(flow, present)).toBe(false);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('leave alone what others wrote and what was learned, and what these name', () => {
    const others = content(fc.constantFrom(FOREIGN, LEARNED));
    fc.assert(
      fc.property(state, others, (want, theirs) => {
        const base = observe({ bridges: [{ name: 'br1', switch: 'sw1', mtu: 1500, ports: [], ...theirs }] });
        const after = bridgeOf(reach(base, want), 'br1');
        const wanted = want.bridges.find((b) => b.name === 'br1');
        if (after === undefined || wanted === undefined) return;
        const taken = new Set(wanted.flows.map(flowKey));
        const standing = new Map(after.flows.map((f) => [flowKey(f.flow), f.flow]));
        for (const flow of theirs.flows) {
          if (!taken.has(flowKey(flow))) expect(standing.get(flowKey(flow))).toEqual(flow);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const one = (over: Partial<BridgeState> = {}): DataplaneState => ({
  bridges: [{ name: 'br1', switch: 'sw1', mtu: 1500, ports: [], flows: [], groups: [], meters: [], ...over }],
});
const flow = (over: Partial<Flow> = {}): Flow => ({
  table: 0,
  priority: 1,
  match: {},
  actions: [{ kind: 'output', port: 1 }],
  cookie: OURS,
  ...over,
});

describe('the plan', () => {
  it('does not touch a bridge of a wanted name that is not ours, and says so', () => {
    const have = observe(one({ flows: [flow()] }));
    const foreign = { ...have, bridges: have.bridges.map((b) => ({ ...b, externalIds: {} })) };
    const plan = diff(one(), foreign);
    expect(order(plan)).toEqual([]);
    expect(plan.exceptions).toMatchObject([{ bridge: 'br1' }]);
  });

  it('replaces a foreign flow that stands in the place of ours', () => {
    const have = observe(one({ flows: [flow({ cookie: FOREIGN })] }));
    expect(diff(one({ flows: [flow()] }), have).bridges[0]?.flows.change).toHaveLength(1);
  });

  it('removes a learned flow only when told, in the bundle that removes its trigger', () => {
    const row = flow({ table: 7, cookie: LEARNED });
    const have = observe(one({ flows: [row, flow()] }));
    expect(order(diff(one({ flows: [flow()] }), have))).toEqual([]);
    const steps = order(diff(one(), have, { retire: [{ bridge: 'br1', flows: [row] }] }));
    expect(steps.find((s) => s.kind === 'bundle')?.mods.map((m) => m.op)).toEqual([
      'delete-flow',
      'delete-flow',
    ]);
  });

  it('never touches a count meter that still counts', () => {
    const meter = { id: 1, unit: 'pktps', rate: COUNT_RATE, burst: 5 } as const;
    const have = observe(one({ meters: [meter] }));
    expect(order(diff(one({ meters: [{ ...meter, burst: 9 }] }), have))).toEqual([]);
  });

  it('lets less pass before the flows change, and more only after', () => {
    const at = (rate: number) => ({ id: 1, unit: 'kbps', rate, burst: 9 }) as const;
    const kinds = (before: number, after: number) => {
      const want = one({ meters: [at(after)], flows: [flow()] });
      return order(diff(want, observe(one({ meters: [at(before)] })))).map((s) => s.kind);
    };
    expect(kinds(10, 5)).toEqual(['meters', 'bundle']);
    expect(kinds(5, 10)).toEqual(['bundle', 'meters']);
  });

  it('waits until it is effective only when it tightens', () => {
    const kinds = (want: Flow[], before: Flow[]) =>
      order(diff(one({ flows: want }), observe(one({ flows: before })))).map((s) => s.kind);
    const drop = flow({ priority: 5, match: { in_port: { value: 1n } }, actions: [] });
    const other = flow({ match: { in_port: { value: 2n } } });
    expect(kinds([flow(), drop], [flow()])).toEqual(['bundle', 'effective']);
    expect(kinds([], [flow()])).toEqual(['bundle', 'effective']);
    expect(kinds([other, drop], [drop])).toEqual(['bundle']);
    expect(kinds([flow({ table: 1 }), flow()], [flow()])).toEqual(['bundle']);
  });

  it('purges where a learn is armed, after the bundle', () => {
    const plan = diff(one({ flows: [flow()] }), observe(one()));
    expect(order(plan, { purge: ['br1'] }).map((s) => s.kind)).toEqual(['bundle', 'purge']);
  });

  it('forgets connections once no packet can bring them back', () => {
    const plan = diff(one({ flows: [flow()] }), observe(one()));
    const flush = [
      { bridge: 'br1', connections: [{ zone: 0x8001 }] },
      { bridge: 'br2', connections: [] },
    ];
    expect(order(plan, { flush }).map((s) => s.kind)).toEqual(['bundle', 'effective', 'flush']);
    expect(order(diff(one(), observe(one())), { flush }).map((s) => s.kind)).toEqual(['flush']);
  });

  it('sets whom samples are told, whatever the order of keys, and only when that differs', () => {
    const exports = { ipfix: { targets: ['10.0.0.1:4739'], sampling: 5 } };
    const steps = order(diff(one({ exports }), observe(one())));
    expect(steps).toEqual([{ kind: 'ovsdb', changes: [{ op: 'set-exports', bridge: 'br1', exports }] }]);
    const have = steps.reduce(applyStep, observe(one()));
    const alike = { ipfix: { sampling: 5, targets: ['10.0.0.1:4739'] } };
    expect(order(diff(one({ exports: alike }), have))).toEqual([]);
    expect(order(diff(one(), have))).toMatchObject([{ changes: [{ op: 'set-exports', exports: {} }] }]);
  });

  it('makes a bond of devices that stood alone, and of other members anew', () => {
    const eth = (name: string) => ({ name, plugged: 'agent', type: '', marks: {} }) as const;
    const lag = (...members: string[]) => ({ ...eth('lag1'), bond: { members, lacp: 'active' as const } });
    const apart = one({ ports: [eth('eth1'), eth('eth2')] });
    const bonded = one({ ports: [lag('eth1', 'eth2')] });
    for (const [before, after] of [
      [apart, bonded],
      [bonded, apart],
      [bonded, one({ ports: [lag('eth1', 'eth2', 'eth3')] })],
      [bonded, one({ ports: [lag('eth1', 'eth3'), eth('eth2')] })],
    ] as const) {
      const steps = order(diff(after, observe(before)));
      expect(steps).toHaveLength(2);
      const have = steps.reduce(applyStep, observe(before));
      const rows = (o: Observation) => o.interfaces.map((i) => `${i.port ?? ''}/${i.name}`).sort();
      expect(rows(have)).toEqual(rows(observe(after)));
      expect(order(diff(after, have))).toEqual([]);
    }
    const byHand: PortSettings = {
      ...{ bondMode: 'balance-slb', lacp: 'off', tag: 7, unmarked: true, options: { x: '1' } },
      ...{ otherConfig: { 'lacp-system-priority': '1' }, deviceConfig: { 'lacp-aggregation-key': '7' } },
    };
    const have = observe(bonded);
    const altered = { ...have, interfaces: have.interfaces.map((i) => ({ ...i, settings: byHand })) };
    const otherConfig = { 'lacp-time': 'slow' };
    const settings = { bondMode: 'active-backup', lacp: 'active', otherConfig };
    const device = { type: '', options: {} };
    const set = { op: 'set-port', bridge: 'br1', port: 'lag1', settings, device };
    expect(order(diff(bonded, altered))).toEqual([{ kind: 'ovsdb', changes: [set] }]);
    expect(order(diff(apart, altered))).toHaveLength(2);
    const held = { bridge: 'virbr0', name: 'eth2', type: '', linkUp: true, externalIds: {}, marks: {} };
    const plan = diff(bonded, { ...observe(one()), interfaces: [held] });
    expect(order(plan)).toEqual([]);
    expect(plan.exceptions).toMatchObject([{ port: 'lag1', reason: expect.stringContaining('eth2') }]);
  });

  it('makes bridge and port closed before anything else, and removes last', () => {
    const port = { name: 'eth1', plugged: 'agent', type: '', marks: {} } as const;
    const want = one({ ports: [port], meters: [{ id: 1, unit: 'kbps', rate: 5 }], flows: [flow()] });
    const first = order(diff(want, { bridges: [], interfaces: [] }));
    expect(first.map((s) => s.kind)).toEqual(['ovsdb', 'meters', 'bundle']);
    expect(first[0]).toMatchObject({ changes: [{ op: 'add-bridge' }, { op: 'add-port' }] });
    const last = order(diff(one(), observe(want)));
    expect(last.map((s) => s.kind)).toEqual(['bundle', 'effective', 'meters', 'ovsdb']);
    expect(order(diff({ bridges: [] }, observe(want)))).toMatchObject([
      { changes: [{ op: 'remove-bridge' }] },
    ]);
  });

  it('only takes its marks back from a port that someone else plugged', () => {
    const tap = { name: 'tap1', plugged: 'other', type: '', marks: { 'portolan-port': 'p1' } } as const;
    const steps = order(diff(one(), observe(one({ ports: [tap] }))));
    expect(steps).toEqual([
      { kind: 'ovsdb', changes: [{ op: 'mark-port', bridge: 'br1', port: 'tap1', marks: {} }] },
    ]);
  });

  it('does not take a port that stands elsewhere by another hand', () => {
    const eth = { name: 'eth1', plugged: 'agent', type: '', marks: {} } as const;
    const have = observe(one());
    const row = { bridge: 'virbr0', name: 'eth1', type: '', linkUp: true, externalIds: {}, marks: {} };
    const plan = diff(one({ ports: [eth] }), { ...have, interfaces: [row] });
    expect(order(plan)).toEqual([]);
    expect(plan.exceptions).toMatchObject([{ bridge: 'br1', port: 'eth1' }]);
    expect(observe(one({ ports: [eth] })).interfaces[0]?.marks).toEqual({ [PLUGGED_MARK]: 'agent' });
    expect(have.bridges[0]?.externalIds).toEqual({ [SWITCH_MARK]: 'sw1' });
  });

  it('leaves out what can not stand, and says so', () => {
    const want = one({
      flows: [flow({ actions: [{ kind: 'meter', meter: 9 }] }), flow({ table: 1 }), flow({ table: 1 })],
    });
    const plan = diff(want, observe(one()));
    expect(plan.exceptions).toHaveLength(2);
    expect(plan.bridges[0]?.flows.add).toHaveLength(1);
  });
});
