import { beforeEach, describe, expect, it } from '@jest/globals';
import { addressSet, groupDoc, mac, type HostSpec } from '../documents.fixture.js';
import { BROADCAST_MAC, frame } from './frames.fixture.js';
import { packet, type PacketSpec } from './packets.fixture.js';
import { ManualClock, TestHost } from './world.fixture.js';
import { diff, observe } from '#openflow';
import { compile } from '../compile.js';
import { desiredOf, factsOf } from '../documents.fixture.js';
import { connectionsLeft } from '../features/state/forget.js';

const IP = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
/** A packet from one port's guest to another's. */
export const between = (from: 1 | 2 | 3, to: 1 | 2 | 3, more: Partial<PacketSpec> = {}): Uint8Array =>
  packet({ to: mac(to), from: mac(from), src: IP[from], dst: IP[to], protocol: 'udp', ...more });

const rule = (name: string, direction: string, action: string, more: object = {}) => ({
  ...{ name, direction, action, tier: 1, enabled: true, match: {} },
  ...more,
});
const dport = (port: number, ipProtocol = 17) => ({
  match: { ipProtocol, dstPort: { from: port, to: port } },
});

describe('the language of filters', () => {
  let a: TestHost;
  const filtered = (filter: object): HostSpec => ({
    ports: [{ n: 1, override: { filter } as never }, { n: 2 }, { n: 3 }],
  });
  const arrives = (to: 1 | 2 | 3, from: 1 | 2 | 3, f: Uint8Array): boolean => {
    a.forget();
    a.send(from, f);
    return a.got(to).length > 0;
  };

  beforeEach(() => {
    a = new TestHost('h1', new ManualClock());
  });

  it('drops in both directions what no rule takes, where that is the default', async () => {
    const rules = [
      rule('dns', 'in', 'allow', dport(53)),
      rule('arp', 'both', 'allow', { match: { etherType: 0x0806 } }),
    ];
    await a.become(filtered({ stateful: false, default: 'drop', rules }));
    expect(arrives(2, 1, between(1, 2, { dport: 53 }))).toBe(true);
    expect(arrives(2, 1, between(1, 2, { dport: 54 }))).toBe(false);
    expect(arrives(1, 2, between(2, 1, { dport: 53 }))).toBe(false);
    expect(arrives(1, 2, frame({ to: BROADCAST_MAC, from: mac(2), type: 0x0806 }))).toBe(true);
    expect(arrives(3, 2, between(2, 3))).toBe(true);
  });

  it('asks the tiers in order, and the next one where a rule passes or none takes the frame', async () => {
    const rules = [
      rule('late-allow', 'in', 'allow', { tier: 3, ...dport(7) }),
      rule('first-word', 'in', 'drop', { tier: 0, ...dport(9) }),
      rule('others-decide', 'in', 'pass', { tier: 0, ...dport(7) }),
      rule('middle', 'in', 'drop', { tier: 1, ...dport(8) }),
      rule('too-late', 'in', 'allow', { tier: 3, match: { ipProtocol: 17, dstPort: { from: 8, to: 9 } } }),
    ];
    await a.become(filtered({ stateful: false, default: 'drop', rules }));
    expect([7, 8, 9, 10].map((port) => arrives(2, 1, between(1, 2, { dport: port })))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('passes over rules that are switched off', async () => {
    const rules = [rule('off', 'in', 'drop', { enabled: false }), rule('on', 'in', 'drop', dport(8))];
    await a.become(filtered({ stateful: false, default: 'allow', rules }));
    expect(arrives(2, 1, between(1, 2, { dport: 7 }))).toBe(true);
    expect(arrives(2, 1, between(1, 2, { dport: 8 }))).toBe(false);
  });

  it('tells packets by their flags, class, fragment, version, MAC mask and segment', async () => {
    const tcp = { ipProtocol: 6, tcpFlags: { set: ['syn'], clear: ['ack'] } };
    const cases: [object, Partial<PacketSpec>, Partial<PacketSpec>][] = [
      [tcp, { protocol: 'tcp', flags: 2 }, { protocol: 'tcp', flags: 0x12 }],
      [{ ipVersion: 4, dscp: 46 }, { dscp: 46 }, { dscp: 45 }],
      [{ fragments: 'later' }, { fragment: 3 }, { fragment: 0x2000 }],
      [{ fragments: 'first' }, { fragment: 0x2000 }, { fragment: 3 }],
      [{ srcMac: '02:00:00:00:00:01/ff:ff:ff:ff:ff:ff', ipVersion: 4 }, {}, { from: mac(7) }],
      [{ dstMac: '02:00:00:00:00:00/ff:ff:ff:ff:ff:fc' }, {}, { to: BROADCAST_MAC }],
      [
        { ipProtocol: 1, icmpType: 0 },
        { protocol: 'icmp', sport: 0 },
        { protocol: 'icmp', fragment: 3 },
      ],
      [
        { ipProtocol: 1, icmpType: 3, icmpCode: 4 },
        { protocol: 'icmp', sport: 3, dport: 4 },
        { protocol: 'icmp', sport: 3, dport: 3 },
      ],
    ];
    for (const [match, hit, miss] of cases) {
      const filter = { stateful: false, default: 'allow', rules: [rule('r', 'in', 'drop', { match })] };
      const override = { filter, forgedTransmits: true } as never;
      await a.become({ ports: [{ n: 1, override }, { n: 2 }, { n: 3 }] });
      expect([match, arrives(2, 1, between(1, 2, hit))]).toEqual([match, false]);
      expect([match, arrives(2, 1, between(1, 2, miss))]).toEqual([match, true]);
    }
    const here = {
      stateful: false,
      default: 'allow',
      rules: [rule('r', 'out', 'drop', { match: { vlan: 100 } })],
    };
    await a.become(filtered(here));
    expect(arrives(1, 2, between(2, 1))).toBe(false);
  });
});

describe('what filters do beside', () => {
  it('marks the class of traffic, and the priority of the tag that is put on', async () => {
    const a = new TestHost('h1', new ManualClock());
    const out = { match: { ipVersion: 4 }, mark: { dscp: 46, cos: 5 } };
    const rules = [rule('mark', 'in', 'allow', out)];
    await a.become({ ports: [{ n: 1, override: { filter: rules } as never }, { n: 2 }] });
    a.send(1, between(1, 2), frame({ to: BROADCAST_MAC, from: mac(1) }));
    a.send(1, packet({ ...{ to: mac(9), from: mac(1), src: IP[1], dst: IP[3] }, protocol: 'udp' }));
    expect((a.got(2)[0]?.[15] ?? 0) >> 2).toBe(46);
    // Priority, and the class behind the tag; what no rule marked has the priority 0.
    expect(a.wire().map((f) => [(f[14] ?? 0) >> 5, f[19]])).toEqual([
      [0, 0],
      [5, 46 << 2],
    ]);
  });

  it('keeps the priority of a tag that is taken off, and asks for it', async () => {
    const a = new TestHost('h1', new ManualClock());
    const trunk = groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 90, to: 150 }] } as never });
    const filter = [rule('no-video', 'in', 'drop', { match: { cos: 4 } })];
    const groups = [trunk, groupDoc('web', { vlan: { mode: 'access', id: 100 } as never })];
    await a.become({ groups, ports: [{ n: 1, group: 'trunk', override: { filter } as never }, { n: 2 }] });
    for (const cos of [3, 4]) {
      const tagged = frame({ to: BROADCAST_MAC, from: mac(1), vlan: 100 });
      tagged[14] = (cos << 5) | (tagged[14] ?? 0);
      a.send(1, tagged);
    }
    expect(a.wire().map((f) => (f[14] ?? 0) >> 5)).toEqual([3]);
    expect(a.got(2)).toHaveLength(1);
  });

  it('drops what is over the rate of a rule, all its ports together, and nothing of other rules', async () => {
    const clock = new ManualClock();
    const a = new TestHost('h1', clock);
    const rules = [rule('few', 'in', 'allow', { ...dport(7), rate: { unit: 'pps', rate: 10, burst: 4 } })];
    const override = { filter: rules } as never;
    await a.become({ ports: [{ n: 1, override }, { n: 2, override }, { n: 3 }] });
    const sent = (n: number, port: number): void => {
      for (let i = 0; i < n; i += 1) {
        a.send(1, between(1, 3, { dport: port }));
        a.send(2, between(2, 3, { dport: port }));
      }
    };
    sent(5, 7);
    expect(a.got(3)).toHaveLength(4);
    sent(5, 8);
    expect(a.got(3)).toHaveLength(14);
    clock.advance(200);
    sent(5, 7);
    expect(a.got(3)).toHaveLength(16);
  });
});

describe('filters with state', () => {
  let a: TestHost;
  const opens = rule('opens', 'in', 'allow', dport(53));
  const serves = rule('serves', 'out', 'allow', dport(80));
  const list = (...rules: object[]) => ({ stateful: true, default: 'drop', rules });
  const spec = (filter: object): HostSpec => ({
    ports: [{ n: 1, override: { filter } as never }, { n: 2 }, { n: 3 }],
  });
  const arrives = (to: 1 | 2 | 3, from: 1 | 2 | 3, more: Partial<PacketSpec>): boolean => {
    a.forget();
    a.send(from, between(from, to, more));
    return a.got(to).length > 0;
  };
  const QUESTION = { sport: 9, dport: 53 };
  const ANSWER = { sport: 53, dport: 9 };
  const marks = (): number[] => a.switch.conntrack.all().map(({ mark }) => mark);

  beforeEach(() => {
    a = new TestHost('h1', new ManualClock());
  });

  it('let answers through in both directions, and nothing unasked', async () => {
    await a.become(spec(list(opens, serves)));
    expect(arrives(1, 2, ANSWER)).toBe(false);
    expect(arrives(2, 1, QUESTION)).toBe(true);
    expect(arrives(1, 2, ANSWER)).toBe(true);
    expect(arrives(1, 3, ANSWER)).toBe(false);
    expect(arrives(2, 1, { sport: 80, dport: 7 })).toBe(false);
    expect(arrives(1, 2, { sport: 7, dport: 80 })).toBe(true);
    expect(arrives(2, 1, { sport: 80, dport: 7 })).toBe(true);
  });

  it('go by the rules that stand: an answer passes no longer than its rule, whatever else changes', async () => {
    await a.become(spec(list(opens, serves)));
    arrives(2, 1, QUESTION);
    // Moved, and under another name, it is the same rule.
    await a.become(spec(list(serves, { ...opens, name: 'renamed' })));
    expect(arrives(1, 2, ANSWER)).toBe(true);
    await a.become(spec(list(serves)));
    expect(arrives(1, 2, ANSWER)).toBe(false);
    expect(arrives(2, 1, QUESTION)).toBe(false);
  });

  it('stop what a new rule is to stop in both directions, though the rule that let it begin stands', async () => {
    await a.become(spec(list(opens)));
    expect([arrives(2, 1, QUESTION), arrives(3, 1, QUESTION)]).toEqual([true, true]);
    const stop = rule('stop', 'in', 'drop', { tier: 0, match: { dst: '10.0.0.2/32' } });
    const syn = rule('syn', 'in', 'drop', { tier: 0, match: { ipVersion: 4, dscp: 7 } });
    await a.become(spec(list(opens, stop, syn)));
    expect([arrives(1, 2, ANSWER), arrives(1, 3, ANSWER)]).toEqual([false, true]);
    expect([arrives(2, 1, QUESTION), arrives(3, 1, QUESTION)]).toEqual([false, true]);
    // Behind the rule that allows it, it stops nothing of it; nor where an earlier one passes on to later tiers.
    await a.become(spec(list(opens, { ...stop, tier: 2 })));
    expect(arrives(1, 2, ANSWER)).toBe(true);
    const ask = rule('ask', 'in', 'pass', { tier: 0, match: { ipProtocol: 17 } });
    await a.become(spec(list(ask, stop, opens)));
    expect(arrives(1, 2, ANSWER)).toBe(true);
    await a.become(spec(list(stop, ask, opens)));
    expect([arrives(1, 2, ANSWER), arrives(1, 3, ANSWER)]).toEqual([false, true]);
  });

  it('mark a connection anew that another rule allows by now', async () => {
    await a.become(spec(list(opens)));
    arrives(2, 1, QUESTION);
    const [before] = marks();
    await a.become(spec(list(rule('more', 'in', 'allow', { match: { ipProtocol: 17 } }))));
    expect(arrives(1, 2, ANSWER)).toBe(false);
    expect(arrives(2, 1, QUESTION)).toBe(true);
    expect(marks()).toEqual([expect.any(Number)]);
    expect(marks()).not.toEqual([before]);
    expect(arrives(1, 2, ANSWER)).toBe(true);
  });

  it('take no half of what others say to each other for an answer to the other half', async () => {
    const quiet = rule('quiet', 'out', 'drop', { match: { src: '10.0.0.3/32' } });
    const filter = { stateful: true, default: 'allow', rules: [quiet] };
    const curious = { n: 1, override: { filter, promiscuous: true } as never };
    await a.become({ ports: [curious, { n: 2 }, { n: 3 }] });
    const hears = (from: 2 | 3, to: 2 | 3, more: Partial<PacketSpec>): boolean[] => {
      a.forget();
      a.send(from, between(from, to, more));
      return [a.got(1).length > 0, a.got(to).length > 0];
    };
    expect(hears(2, 3, QUESTION)).toEqual([true, true]);
    expect(hears(3, 2, ANSWER)).toEqual([false, true]);
  });

  it('enter no connection where a rule says so, and none for what they drop', async () => {
    await a.become(spec(list(rule('alone', 'in', 'allow-stateless', dport(53)))));
    expect(arrives(2, 1, QUESTION)).toBe(true);
    expect(arrives(2, 1, { dport: 54 })).toBe(false);
    expect(arrives(1, 2, ANSWER)).toBe(false);
    expect(marks()).toEqual([]);
  });

  it('remember what the default allowed as well', async () => {
    const rules = [rule('not-in', 'out', 'drop', { match: { ipVersion: 4 } })];
    await a.become(spec({ stateful: true, default: 'allow', rules }));
    expect(arrives(1, 2, ANSWER)).toBe(false);
    expect(arrives(2, 1, QUESTION)).toBe(true);
    expect(arrives(1, 2, ANSWER)).toBe(true);
  });

  it('give the zone of a port that goes, or loses its state, free of connections', () => {
    const stateOf = (host: HostSpec) => {
      const desired = desiredOf(host);
      return compile(desired, factsOf(desired)).state;
    };
    const left = (now: HostSpec, then: HostSpec) =>
      diff(stateOf(then), observe(stateOf(now))).bridges.flatMap(connectionsLeft);
    const zone = [{ zone: 0x8001 }];
    const none = { stateful: false, default: 'allow', rules: [] };
    const gone = { ports: [{ n: 1, role: 'retired' as const }, { n: 2 }, { n: 3 }] };
    expect(left(spec(list(opens)), spec(none))).toEqual(zone);
    expect(left(spec(list(opens)), gone)).toEqual(zone);
    expect(left(spec(list(opens)), spec(list(serves)))).toEqual([]);
    expect(left(spec(none), spec(list(opens)))).toEqual([]);
    const naming = (stateful: boolean) => ({
      ...spec({ ...none, stateful, rules: [rule('r', 'in', 'drop', { match: { dstSet: 's' } })] }),
      sets: [addressSet('s', ['10.0.0.2'])],
    });
    expect(left(naming(true), naming(false))).toEqual(zone);
    expect(left(naming(false), naming(true))).toEqual([]);
    expect(left(naming(true), naming(true))).toEqual([]);
  });
});
