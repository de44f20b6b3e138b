import { describe, expect, it } from '@jest/globals';
import { type FilterRule, type Mirror, type Policy, type PolicyPatch, type PrivateVlan } from '#domain';
import { encodeFrame } from './encode.js';
import { PLAIN, type Frame, type GroupMessage, type Ip } from './frame.js';
import { Undecidable } from './limits.js';
import { Model } from './model.js';
import { type PortSpec, type World } from './world.js';

const mac = (n: number): string => `02:00:00:00:00:0${n}`;
const PAIRS = [
  { primary: 500, secondary: 500, kind: 'promiscuous' },
  { primary: 500, secondary: 501, kind: 'isolated' },
  { primary: 500, secondary: 502, kind: 'community' },
  { primary: 500, secondary: 503, kind: 'community' },
] as unknown as PrivateVlan[];
const TEAMING = {
  mode: 'explicit',
  active: ['one', 'two'],
  standby: [],
  failback: true,
  notify: false,
  detection: 'link',
} as const;
const patch = (p: object): PolicyPatch => p as PolicyPatch;

/** One host with two uplinks, a port of each policy. */
function world(policies: readonly object[], down: readonly string[] = [], overridable = ['vlan']): World {
  const ports = policies.map((_, i): PortSpec => ({
    n: i + 1,
    group: `g${i + 1}`,
    mac: mac(i + 1),
    override: {},
    device: `d${i + 1}`,
  }));
  return {
    switches: [
      {
        name: 'lan',
        kind: 'distributed',
        uplinks: ['one', 'two'],
        privateVlans: PAIRS,
        mirrors: [],
        multicast: 'basic',
        classLimits: {},
        policy: patch({ teaming: TEAMING }),
      },
    ],
    groups: policies.map((p, i) => ({
      name: `g${i + 1}`,
      switch: 'lan',
      policy: patch(p),
      overridable: overridable as (keyof Policy)[],
    })),
    hosts: [{ name: 'a', members: { lan: { one: 'u1', two: 'u2' } }, ports, down }],
    sets: [],
  };
}

const plain = (from: number, to: number | string, tags: Frame['tags'] = []): Frame => ({
  to: typeof to === 'number' ? mac(to) : to,
  from: mac(from),
  tags,
  body: PLAIN,
});
const EVERYBODY = 'ff:ff:ff:ff:ff:ff';
const udp = (from: number, to: number, src: number, dst: number): Frame => ({
  ...plain(from, to),
  body: {
    kind: 'ip',
    version: 4,
    src: `10.0.0.${from}`,
    dst: `10.0.0.${to}`,
    dscp: 0,
    protocol: 17,
    ports: { src, dst },
  },
});

const from = (model: Model, device: string, frame: Frame) =>
  model
    .receive({ host: 'a', device, frame })
    .map((d) => [d.devices.join('|'), ...d.frame.tags.map((t) => t.vid)]);
const modelOf = (w: World): Model => new Model(w, { remembers: true });
const access = (id: number): object => ({ vlan: { mode: 'access', id } });
const secondary = (vid: number): object => ({ vlan: { mode: 'private', primary: 500, secondary: vid } });
const rule = (name: string, direction: string, action: string, more: object = {}): FilterRule =>
  ({ name, direction, action, tier: 1, enabled: true, match: {}, ...more }) as FilterRule;

describe('the reference switch', () => {
  it('gives a broadcast to all of the segment, and to the uplink with its tag', () => {
    const model = modelOf(
      world([
        access(100),
        access(100),
        access(200),
        { vlan: { mode: 'trunk', ranges: [{ from: 90, to: 110 }] } },
      ]),
    );
    expect(from(model, 'd1', plain(1, EVERYBODY))).toEqual([['d2'], ['d4', 100], ['u1', 100]]);
    expect(from(model, 'd1', plain(1, EVERYBODY, [{ vid: 100, pcp: 0 }]))).toEqual([]);
    expect(from(model, 'd4', plain(4, EVERYBODY, [{ vid: 200, pcp: 0 }]))).toEqual([]);
  });

  it('takes broadcast from the uplink that carries a port alone, and its own MACs from none', () => {
    const model = modelOf(world([access(100), access(100)], ['u1']));
    expect(from(model, 'u2', plain(9, EVERYBODY, [{ vid: 100, pcp: 0 }]))).toEqual([['d1'], ['d2']]);
    const both = modelOf(world([access(100), access(100)]));
    expect(from(both, 'u2', plain(9, EVERYBODY, [{ vid: 100, pcp: 0 }]))).toEqual([]);
    expect(from(both, 'u2', plain(9, 1, [{ vid: 100, pcp: 0 }]))).toEqual([['d1']]);
    expect(from(both, 'u1', plain(2, EVERYBODY, [{ vid: 100, pcp: 0 }]))).toEqual([]);
  });

  it('keeps private VLANs as the table says, and tells the wire who sent', () => {
    const model = modelOf(world([500, 501, 501, 502, 502, 503].map(secondary)));
    const heardBy = (n: number) =>
      from(model, `d${n}`, plain(n, EVERYBODY)).map(([device, tag]) => (tag === undefined ? device : tag));
    expect(heardBy(1)).toEqual(['d2', 'd3', 'd4', 'd5', 'd6', 500]);
    expect(heardBy(2)).toEqual(['d1', 501]);
    expect(heardBy(4)).toEqual(['d1', 'd5', 502]);
    expect(heardBy(6)).toEqual(['d1', 503]);
  });

  it('lets a port override what its group allows, and nothing else', () => {
    const w = world([access(100), access(100)]);
    const override = patch({ ...access(200), promiscuous: true });
    const [host] = w.hosts;
    const ports = host?.ports.map((p) => ({ ...p, override: p.n === 1 ? override : {} })) ?? [];
    const model = modelOf({ ...w, hosts: host === undefined ? [] : [{ ...host, ports }] });
    expect(from(model, 'd2', plain(2, EVERYBODY))).toEqual([['u1', 100]]);
    expect(from(model, 'd1', plain(1, EVERYBODY))).toEqual([['u1', 200]]);
  });

  it('asks tiers in their order, and passes on what one leaves open', () => {
    const rules = [
      rule('late', 'in', 'drop', { tier: 2 }),
      rule('usual', 'in', 'allow', { match: { etherType: PLAIN.type } }),
      rule('first', 'in', 'pass', { tier: 0 }),
    ];
    const model = modelOf(world([{ filter: { stateful: false, default: 'allow', rules } }, {}]));
    expect(from(model, 'd1', plain(1, 2))).toEqual([['d2']]);
    expect(from(model, 'd1', udp(1, 2, 7, 8))).toEqual([]);
    expect(from(model, 'd2', udp(2, 1, 8, 7))).toEqual([['d1']]);
  });

  it('lets answers through by the rule that let their question out, and by no other', () => {
    const rules = [
      rule('ask', 'in', 'allow', { match: { ipVersion: 4, ipProtocol: 17, dstPort: { from: 53, to: 53 } } }),
    ];
    const model = modelOf(world([{ filter: { stateful: true, default: 'drop', rules } }, {}]));
    expect(from(model, 'd2', udp(2, 1, 53, 999))).toEqual([]);
    expect(from(model, 'd1', udp(1, 2, 999, 53))).toEqual([['d2']]);
    expect(from(model, 'd2', udp(2, 1, 53, 999))).toEqual([['d1']]);
    expect(from(model, 'd2', udp(2, 1, 53, 998))).toEqual([]);
  });

  it('stops an answer with the rule that let its question out', () => {
    const rules = [rule('ask', 'in', 'allow', { match: { ipProtocol: 17 } })];
    const before = world([{ filter: { stateful: true, default: 'drop', rules } }, {}]);
    const model = modelOf(before);
    expect(from(model, 'd1', udp(1, 2, 999, 53))).toEqual([['d2']]);
    model.become(
      world([{ filter: { stateful: true, default: 'drop', rules: [{ ...rules[0], name: 'renamed' }] } }, {}]),
    );
    expect(from(model, 'd2', udp(2, 1, 53, 999))).toEqual([['d1']]);
    model.become(world([{ filter: { stateful: true, default: 'drop', rules: [] } }, {}]));
    expect(from(model, 'd2', udp(2, 1, 53, 999))).toEqual([]);
  });

  it('asks who is in a set: addresses of packets, and members by their MAC where they are', () => {
    const members = { name: 'web', kind: 'ports', ports: [1] } as const;
    const office = { name: 'office', kind: 'addresses', addresses: ['10.0.0.2', '10.0.0.8/30'] } as const;
    const allowed = (srcSet: string) => [rule('set', 'out', 'allow', { match: { srcSet } })];
    const guarded = (rules: FilterRule[]) => ({ filter: { stateful: false, default: 'drop', rules } });
    const sets = [members, office];
    const both = [rule('out', 'in', 'allow'), ...allowed('web')];
    const model = modelOf({ ...world([{}, {}, guarded(both), guarded(allowed('office')), access(9)]), sets });
    expect(from(model, 'd1', plain(1, 3))).toEqual([['d3']]);
    expect(from(model, 'd2', udp(2, 3, 1, 2))).toEqual([]);
    expect(from(model, 'd2', udp(2, 4, 1, 2))).toEqual([['d4']]);
    expect(from(model, 'd2', plain(2, 4))).toEqual([]);
    expect(from(model, 'd1', udp(1, 4, 1, 2))).toEqual([]);
    const moved = { ...world([access(9), {}, guarded(both)]), sets };
    expect(from(modelOf(moved), 'u1', plain(1, 3))).toEqual([]);
  });

  it('lets an answer through as long as the other end is in the set that was asked for', () => {
    const rules = [rule('ask', 'in', 'allow', { match: { dstSet: 'office' } })];
    const guarded = world([{ filter: { stateful: true, default: 'drop', rules } }, {}]);
    const office = (...addresses: string[]) => [{ name: 'office', kind: 'addresses', addresses }] as const;
    const model = modelOf({ ...guarded, sets: office('10.0.0.0/30') });
    expect(from(model, 'd1', udp(1, 2, 999, 53))).toEqual([['d2']]);
    model.become({ ...guarded, sets: office('10.0.0.2') });
    expect(from(model, 'd2', udp(2, 1, 53, 999))).toEqual([['d1']]);
    model.become({ ...guarded, sets: office('10.0.0.3') });
    expect(from(model, 'd2', udp(2, 1, 53, 999))).toEqual([]);
  });

  const mirrored = (policies: readonly object[], ...mirrors: object[]) => {
    const w = world(policies);
    const whole = { snapLength: null, allowTraffic: false };
    const given = mirrors.map((m, i) => ({ name: `m${i}`, ...whole, ...m }) as unknown as Mirror);
    return modelOf({ ...w, switches: w.switches.map((sw) => ({ ...sw, mirrors: given })) });
  };

  it('copies what a port sends before its policy and gets behind it, to a port that hears nothing else', () => {
    const sources = [{ port: 'p1', direction: 'both' }];
    const model = mirrored([{ ...access(100), blocked: true }, access(100), access(100)], {
      sources,
      to: { port: 'p3' },
    });
    expect(from(model, 'd1', plain(1, 2))).toEqual([['d3']]);
    expect(from(model, 'd2', plain(2, EVERYBODY))).toEqual([['u1', 100]]);
    expect(from(model, 'd3', plain(3, 2))).toEqual([]);
    const open = mirrored([access(100), access(100), access(100)], {
      sources,
      to: { port: 'p3' },
      allowTraffic: true,
    });
    expect(from(open, 'd2', plain(2, 1))).toEqual([['d1'], ['d3']]);
    // Nothing of what it sent itself.
    expect(from(open, 'd3', plain(3, 1))).toEqual([['d1']]);
  });

  it('carries copies away in a VLAN of their own, which no port hears and no other mirror copies', () => {
    const trunk = { vlan: { mode: 'trunk', ranges: [{ from: 1, to: 4094 }] } };
    const away = { sources: [{ uplink: 'one', direction: 'both' }], to: { uplinks: ['two'], vlan: 400 } };
    const look = { sources: [{ uplink: 'one', direction: 'in' }], vlans: [400], to: { port: 'p3' } };
    const model = mirrored([access(100), trunk, {}], away, look);
    expect(from(model, 'd1', plain(1, 9))).toEqual([
      ['u1', 100],
      ['u2', 400],
    ]);
    const copied = from(model, 'u1', plain(9, 1, [{ vid: 100, pcp: 0 }]));
    expect(copied).toEqual([['u2', 400], ['d1']]);
    expect(from(model, 'u1', plain(9, EVERYBODY, [{ vid: 400, pcp: 0 }]))).toEqual([['d3', 400]]);
    expect(from(model, 'd2', plain(2, EVERYBODY, [{ vid: 400, pcp: 0 }]))).toEqual([]);
  });

  it("puts the tag of a mirror in place of that of the VLAN, and before those that are the guest's own", () => {
    const trunk = { vlan: { mode: 'trunk', ranges: [{ from: 200, to: 210 }], native: 100 } };
    const copies = (source: object, device: string, frame: Frame) => {
      const sources = [{ direction: 'both', ...source }];
      const model = mirrored([access(100), trunk], { sources, to: { uplinks: ['two'], vlan: 400 } });
      return from(model, device, frame).filter(([out]) => out === 'u2');
    };
    const tags = (...vids: number[]) => vids.map((vid) => ({ vid, pcp: 0 }));
    for (const [source, device, frame, copied] of [
      [{ port: 'p1' }, 'u1', plain(9, 1, tags(100, 7)), [400, 7]],
      [{ port: 'p1' }, 'd1', plain(1, 9, tags(7)), [400, 7]],
      [{ port: 'p2' }, 'u1', plain(9, 2, tags(100, 7)), [400, 7]],
      [{ port: 'p2' }, 'u1', plain(9, 2, tags(200, 7)), [400, 7]],
      [{ port: 'p2' }, 'd2', plain(2, 9, tags(200, 7)), [400, 7]],
      [{ port: 'p2' }, 'd2', plain(2, 9, tags(200)), [400]],
      [{ uplink: 'one' }, 'd2', plain(2, 9, tags(200, 7)), [400, 7]],
      [{ uplink: 'one' }, 'u1', plain(9, 1, tags(100, 7)), [400, 7]],
      [{ uplink: 'one' }, 'u1', plain(9, 1, tags(0, 7)), [400, 7]],
    ] as const)
      expect([source, frame.tags, copies(source, device, frame)]).toEqual([
        source,
        frame.tags,
        [['u2', ...copied]],
      ]);
  });

  it('tells of a mirror whose uplinks are not there', () => {
    const to = { uplinks: ['three'], vlan: 400 };
    const model = mirrored([{}], { sources: [{ port: 'p1', direction: 'in' }], to });
    expect(model.refusedBy('a')).toEqual(['switch/lan mirror-invalid']);
  });

  it('marks the class of a packet and the priority of its tag', () => {
    const mark = { dscp: 46, cos: 5 };
    const rules = [rule('voice', 'in', 'allow', { match: { ipVersion: 4 }, mark })];
    const model = modelOf(world([{ ...access(100), filter: { stateful: false, default: 'allow', rules } }]));
    const [out] = model.receive({ host: 'a', device: 'd1', frame: udp(1, 9, 1, 2) });
    expect(out?.devices).toEqual(['u1']);
    expect(out?.frame.tags).toEqual([{ vid: 100, pcp: 5 }]);
    expect((out?.frame.body as Ip).dscp).toBe(46);
  });

  const learns = (more: object = {}) => ({
    macLearning: { limit: 1, atLimit: 'drop', ageSeconds: 300, floodUnknown: false, ...more },
  });
  const nested = (last: string) => `02:00:00:00:02:0${last}`;
  const by = (mac_: string, to: number | string): Frame => ({ ...plain(1, to), from: mac_ });

  it('leads to MACs that a port sent by, as many as it may have', () => {
    const model = modelOf(world([learns(), {}, learns({ atLimit: 'flood' })]));
    expect(from(model, 'd2', plain(2, nested('1')))).toEqual([['u1']]);
    expect(from(model, 'd1', by(nested('1'), 2))).toEqual([['d2']]);
    expect(from(model, 'd2', plain(2, nested('1')))).toEqual([['d1']]);
    expect(from(model, 'u2', plain(9, nested('1')))).toEqual([['d1']]);
    expect(from(model, 'd1', by(nested('2'), 2))).toEqual([]);
    expect(from(model, 'd3', by(nested('1'), 2))).toEqual([['d2']]);
    expect(from(model, 'd2', plain(2, nested('1')))).toEqual([['d3']]);
    expect(from(model, 'd3', by(nested('3'), 2))).toEqual([['d2']]);
    expect(from(model, 'd2', plain(2, nested('3')))).toEqual([['u1']]);
  });

  it('drops a learned MAC that comes back, and forgets one that has moved or is learned no more', () => {
    const policies = [learns(), {}];
    const model = modelOf(world(policies));
    from(model, 'd1', by(nested('1'), 2));
    expect(from(model, 'u2', by(nested('1'), 2))).toEqual([]);
    expect(from(model, 'd2', plain(2, nested('1')))).toEqual([['d1']]);
    expect(from(model, 'u1', by(nested('1'), 2))).toEqual([['d2']]);
    expect(from(model, 'd2', plain(2, nested('1')))).toEqual([['u1']]);
    from(model, 'd1', by(nested('1'), 2));
    // For itself: that it moved holds from the next frame on.
    expect(from(model, 'u1', by(nested('1'), nested('1')))).toEqual([['d1']]);
    expect(from(model, 'u1', by(nested('2'), nested('1')))).toEqual([]);
    from(model, 'd1', by(nested('1'), 2));
    model.become(world([{}, {}]));
    model.become(world(policies));
    expect(from(model, 'd2', plain(2, nested('1')))).toEqual([['u1']]);
  });

  const GROUP = '239.1.1.1';
  const message = (n: number, says: GroupMessage, src = `10.0.0.${n}`): Frame => ({
    ...plain(n, '01:00:5e:01:01:01'),
    body: { kind: 'ip', version: 4, src, dst: GROUP, dscp: 0, protocol: 2, says },
  });
  const join = { kind: 'join', group: GROUP, version: 2 } as const;
  const data = (n: number, dst = GROUP): Frame => ({
    ...udp(n, 9, 1, 2),
    to: '01:00:5e:01:01:01',
    body: { ...(udp(n, 9, 1, 2).body as Ip), dst },
  });
  const snooping = (policies: readonly object[]): World => {
    const w = world(policies);
    return { ...w, switches: w.switches.map((sw) => ({ ...sw, multicast: 'snooping' })) };
  };

  it('gives a group to who joined it, once all had the time to say so', () => {
    const model = modelOf(snooping([{}, {}, {}]));
    expect(from(model, 'd1', data(1))).toEqual([['d2'], ['d3'], ['u1']]);
    expect(from(model, 'd2', message(2, join))).toEqual([['d1'], ['d3'], ['u1']]);
    model.pass(2_500);
    expect(from(model, 'd1', data(1))).toEqual([['d2'], ['u1']]);
    expect(from(model, 'u1', data(9))).toEqual([['d2']]);
    expect(from(model, 'u2', data(9))).toEqual([]);
    // The same MAC, and another group; one of the link.
    expect(from(model, 'd1', data(1, '239.129.1.1'))).toEqual([['u1']]);
    expect(from(model, 'd1', data(1, '224.0.0.251'))).toEqual([['d2'], ['d3'], ['u1']]);
    expect(from(model, 'd3', message(3, join))).toEqual([['u1']]);
    expect(from(model, 'd3', message(3, { ...join, kind: 'leave' }))).toEqual([['u1']]);
    expect(from(model, 'd1', data(1))).toEqual([['d2'], ['d3'], ['u1']]);
    model.pass(2_500);
    expect(from(model, 'd1', data(1))).toEqual([['d2'], ['u1']]);
    model.pass(300_000);
    expect(from(model, 'd1', data(1))).toEqual([['u1']]);
  });

  it('gives routers every group, and brings what they ask of one to its members', () => {
    const model = modelOf(snooping([{}, {}, {}]));
    model.pass(2_500);
    const query = { kind: 'query', group: GROUP, version: 2 } as const;
    from(model, 'd2', message(2, join));
    expect(from(model, 'd1', message(1, query, '0.0.0.0'))).toEqual([['u1'], ['d2']]);
    expect(from(model, 'd3', data(3, '239.9.9.9'))).toEqual([['u1']]);
    expect(from(model, 'd1', message(1, query))).toEqual([['u1'], ['d2']]);
    expect(from(model, 'd3', data(3, '239.9.9.9'))).toEqual([['d1'], ['u1']]);
    expect(from(model, 'u1', message(9, query))).toEqual([['d1'], ['d2']]);
    expect(from(model, 'u2', message(9, query))).toEqual([]);
  });

  it('goes back to an uplink that failed where that is wanted, and else stays', () => {
    const stays = { teaming: { ...TEAMING, failback: false } };
    const at = (down: string[]): World => world([{}, stays], down);
    const model = modelOf(at([]));
    const carriers = () => [from(model, 'd1', plain(1, 9)), from(model, 'd2', plain(2, 9))].flat(2);
    expect(carriers()).toEqual(['u1', 'u1']);
    model.become(at(['u1']));
    expect(carriers()).toEqual(['u2', 'u2']);
    model.become(at([]));
    expect(carriers()).toEqual(['u1', 'u2']);
    model.become(at(['u2']));
    expect(carriers()).toEqual(['u1', 'u1']);
  });

  it('lets through what a limit has room for, and says where only the moment tells', () => {
    const rate = { unit: 'pps', rate: 1, burst: 2 } as const;
    const rules = [rule('few', 'in', 'allow', { rate })];
    const few = { filter: { stateful: false, default: 'allow', rules } };
    const model = modelOf(world([few, few, { shapingOut: { average: 1000, peak: 1000, burst: 1625 } }]));
    const sent = (n: number, to: number, ms: readonly [number, number], size?: number) => {
      const frame = { ...plain(n, to), ...(size === undefined ? {} : { size }) };
      const when = { earliest: ms[0], latest: ms[1] };
      return model.receive({ host: 'a', device: `d${n}`, frame }, when).length;
    };
    expect([sent(1, 9, [0, 9]), sent(2, 9, [9, 20]), sent(1, 9, [20, 30])]).toEqual([1, 1, 0]);
    expect(sent(1, 9, [1_100, 1_200])).toBe(1);
    expect(() => sent(1, 9, [2_000, 2_300])).toThrow(Undecidable);
    expect([sent(3, 2, [3_000, 3_000]), sent(1, 3, [9_000, 9_000], 1_450)]).toEqual([1, 1]);
    expect(sent(1, 3, [11_000, 11_000], 1_450)).toBe(0);
  });

  it('closes a port that names only uplinks which are not there', () => {
    const model = modelOf(world([{ teaming: { ...TEAMING, active: ['three'] } }, {}]));
    expect(model.refusedBy('a')).toEqual(['port/p1 uplink-missing']);
    expect(from(model, 'd1', plain(1, 2))).toEqual([]);
  });
});

it('writes frames whose length depends on tags alone', () => {
  const bare = encodeFrame(udp(1, 2, 3, 4), 7);
  const tagged = encodeFrame({ ...udp(1, 2, 3, 4), tags: [{ vid: 100, pcp: 5 }] }, 7);
  expect(tagged).toBe(`${bare.slice(0, 24)}8100a064${bare.slice(24)}`);
  expect(bare.endsWith('00000007')).toBe(true);
  expect(bare.length).toBe(2 * 64);
});
