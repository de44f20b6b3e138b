import { describe, expect, it } from '@jest/globals';
import { type FilterRule, type Mirror, type Policy, type PolicyPatch, type PrivateVlan } from '#domain';
import { encodeFrame } from './encode.js';
import { type Frame, type Ip } from './frame.js';
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
  body: { kind: 'plain', type: 0x88b5 },
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
      rule('usual', 'in', 'allow', { match: { etherType: 0x88b5 } }),
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
