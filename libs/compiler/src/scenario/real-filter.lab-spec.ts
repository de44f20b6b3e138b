import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diff, order } from '#openflow';
import { arrivals, LAST } from '../../../../test/lab/arrivals.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { compile } from '../compile.js';
import { desiredOf, factsOf, mac, type HostSpec } from '../documents.fixture.js';
import { connectionsLeft } from '../features/state/forget.js';
import { packet, type PacketSpec } from './packets.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const IP = (n: number): string => `10.0.0.${n}`;
const rule = (name: string, direction: string, action: string, more: object = {}) => ({
  ...{ name, direction, action, tier: 1, enabled: true, match: {} },
  ...more,
});
const udp = (from: number, to = from) => ({ match: { ipVersion: 4, ipProtocol: 17, dstPort: { from, to } } });
/** What nothing drops, so that what was sent before it must have been dealt with. */
const PASSES_LAST = rule('last', 'both', 'allow', { tier: 0, match: { etherType: LAST } });

/** Filters on a real switch, with real packets. */
describe('filters on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;

  const spec = (filter: object, more: object = {}): HostSpec => ({
    switches: { lan: { uplink1: 'up0' } },
    ports: [{ n: 1, override: { filter, ...more } as never }, { n: 2 }, { n: 3 }],
  });
  const filtered = (filter: object, more: object = {}) => a.become(spec(filter, more));

  /** The steps of an agent, once: what is not effective at their end shows. */
  async function change(filter: object): Promise<void> {
    const desired = desiredOf({ host: 'a', ...spec(filter) });
    const facts = { ...factsOf(desired), interfaces: await a.driver.interfaces() };
    const plan = diff(compile(desired, facts).state, await a.driver.read());
    const flush = plan.bridges.map((b) => ({ bridge: b.bridge, connections: connectionsLeft(b) }));
    for (const step of order(plan, { flush })) await a.driver.apply(step);
  }

  const between = (from: number, to: number, more: Partial<PacketSpec> = {}): Uint8Array =>
    packet({ to: mac(to), from: mac(from), src: IP(from), dst: IP(to), protocol: 'udp', ...more });

  /** The guest's kernel and others send nothing. */
  const arrived = (from: number, to: number, frames: readonly Uint8Array[]): Promise<boolean[]> =>
    arrivals(vm(from), vm(to), frames);

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    a = await realHost(lab, 'a');
    await a.become({ switches: { lan: { uplink1: 'up0' } }, ports: [] });
    for (const n of [1, 2, 3]) vms.set(n, await lab.addVm('a', { bridge: BRIDGE, ...numbered(n) }));
    await filtered({ stateful: false, default: 'allow', rules: [] });
  });

  afterAll(async () => {
    await a?.driver.close();
    await lab?.destroy();
  });

  it('decides by tier, rule and default', async () => {
    const rules = [
      rule('decided-later', 'in', 'pass', { tier: 0, ...udp(7) }),
      rule('first-word', 'in', 'drop', { tier: 0, ...udp(9) }),
      PASSES_LAST,
      rule('middle', 'in', 'drop', udp(8)),
      rule('off', 'both', 'allow', { enabled: false }),
      rule('late', 'in', 'allow', { tier: 3, ...udp(7, 9) }),
    ];
    await filtered({ stateful: false, default: 'drop', rules });
    const ports = [7, 8, 9, 10].map((dport) => between(1, 2, { dport }));
    expect(await arrived(1, 2, ports)).toEqual([true, false, false, false]);
    expect(await arrived(2, 1, [between(2, 1, { dport: 7 })])).toEqual([false]);
  });

  it('tells packets by all that a match can say', async () => {
    const tcp = { ipVersion: 4, ipProtocol: 6, tcpFlags: { set: ['syn'], clear: ['ack'] } };
    const matches: [object, Partial<PacketSpec>, Partial<PacketSpec>][] = [
      [tcp, { protocol: 'tcp', flags: 2 }, { protocol: 'tcp', flags: 0x12 }],
      [
        { ipVersion: 4, dscp: 46 },
        { dscp: 46, dport: 90 },
        { dscp: 45, dport: 90 },
      ],
      [{ ipVersion: 4, ipProtocol: 17, fragments: 'later' }, { fragment: 3 }, { fragment: 0x2000 }],
      // Nobody gets past a rule on ports by sending in fragments.
      [udp(97).match, { fragment: 0x2000, dport: 97 }, { fragment: 0x2000, dport: 98 }],
      [udp(0).match, { dport: 0 }, { fragment: 0x2000, dport: 99 }],
      [
        { ipVersion: 4, ipProtocol: 1, icmpType: 0 },
        { protocol: 'icmp', sport: 0 },
        { protocol: 'icmp', fragment: 3 },
      ],
      [
        { ipVersion: 4, ipProtocol: 1, icmpType: 3, icmpCode: 4 },
        { protocol: 'icmp', sport: 3, dport: 4 },
        { protocol: 'icmp', sport: 3, dport: 3 },
      ],
      [
        { srcMac: '02:aa:00:00:00:00/ff:ff:00:00:00:00' },
        { from: '02:aa:00:00:00:09' },
        { from: '02:ab:00:00:00:09' },
      ],
    ];
    const rules = matches.map(([match], i) => rule(`r${i}`, 'in', 'drop', { match }));
    await filtered({ stateful: false, default: 'allow', rules }, { forgedTransmits: true });
    const hits = matches.map(([, hit]) => between(1, 2, hit));
    const misses = matches.map(([, , miss]) => between(1, 2, miss));
    expect(await arrived(1, 2, hits)).toEqual(hits.map(() => false));
    expect(await arrived(1, 2, misses)).toEqual(misses.map(() => true));
  });

  it('marks class and priority, as a machine on the wire sees it', async () => {
    const out = await lab.addOutsider({ name: 'out', mac: mac(9), ip: IP(9) });
    const rules = [rule('mark', 'in', 'allow', { match: { ipVersion: 4 }, mark: { dscp: 46, cos: 5 } })];
    await filtered({ stateful: false, default: 'drop', rules });
    await vm(1).sendRaw(between(1, 9));
    const [seen] = await until('the frame', async () => {
      const { recent } = await out.received();
      return recent.length > 0 ? recent : undefined;
    });
    expect([seen?.vlan, seen?.cos, parseInt(seen?.hex.slice(30, 32) ?? '', 16) >> 2]).toEqual([100, 5, 46]);
  });

  it('lets a rule have its rate, and no more', async () => {
    const rate = { unit: 'pps', rate: 500, burst: 50 };
    const rules = [rule('some', 'in', 'allow', { match: { ipVersion: 4 }, rate })];
    await filtered({ stateful: false, default: 'drop', rules });
    const before = await vm(2).receivedFrom(vm(1));
    const sending = vm(1).send({ to: vm(2), pps: 2_000 });
    const passed = (more: number) =>
      until(`${more} frames`, async () => {
        const now = await vm(2).receivedFrom(vm(1));
        return now.count >= before.count + more ? now : undefined;
      });
    // The bucket is empty from the first reading on.
    const [first, last] = [await passed(200), await passed(700)];
    await vm(1).stopSending();
    await sending;
    const perSecond = ((last.count - first.count) * 1_000) / (last.lastAt - first.lastAt);
    expect(perSecond).toBeLessThan(1.1 * rate.rate);
  });

  describe('with state', () => {
    const opens = rule('opens', 'in', 'allow', udp(4_001));
    const list = (...rules: object[]) => ({
      stateful: true,
      default: 'drop',
      rules: [PASSES_LAST, ...rules],
    });

    it('lets answers through, and nothing that nobody asked for', async () => {
      await filtered(list(opens, rule('tcp', 'in', 'allow', { match: { ipProtocol: 6 } })));
      const asked = between(1, 2, { sport: 4_000, dport: 4_001 });
      const answer = between(2, 1, { sport: 4_001, dport: 4_000 });
      expect(await arrived(2, 1, [answer])).toEqual([false]);
      expect(await arrived(1, 2, [asked])).toEqual([true]);
      expect(await arrived(2, 1, [answer, between(2, 1, { sport: 4_001, dport: 4_002 })])).toEqual([
        true,
        false,
      ]);
      // The same words from another guest are not of that connection.
      expect(await arrived(3, 1, [between(3, 1, { sport: 4_001, dport: 4_000 })])).toEqual([false]);
      const syn = between(1, 2, { protocol: 'tcp', sport: 5, dport: 80, seq: 100 });
      const both = between(2, 1, { protocol: 'tcp', sport: 80, dport: 5, flags: 0x12, seq: 7, ack: 101 });
      expect(await arrived(1, 2, [syn])).toEqual([true]);
      expect(await arrived(2, 1, [both])).toEqual([true]);
    });

    it('takes connections along with their rule, and leaves those of other rules', async () => {
      const other = rule('other', 'in', 'allow', udp(5_001));
      await filtered(list(opens, other));
      for (const dport of [4_001, 5_001]) await arrived(1, 2, [between(1, 2, { sport: 9, dport })]);
      const answers = [4_001, 5_001].map((sport) => between(2, 1, { sport, dport: 9 }));
      expect(await arrived(2, 1, answers)).toEqual([true, true]);
      await change(list(other));
      expect(await arrived(2, 1, answers)).toEqual([false, true]);
      // And one that comes stops what it speaks of, though the rule that let it begin stands.
      const stop = (n: number) =>
        rule('stop', 'in', 'drop', { tier: 0, match: { ipProtocol: 17, dst: `${IP(n)}/32` } });
      await change(list(stop(3), other));
      expect(await arrived(2, 1, answers)).toEqual([false, true]);
      await change(list(stop(2), other));
      expect(await arrived(2, 1, answers)).toEqual([false, false]);
    });

    it('lets nothing of an established flow through, either way, once the change is done', async () => {
      const dump = (): Promise<string> => lab.appctl('a', 'dpctl/dump-conntrack');
      for (const keep of [true, false]) {
        await filtered(list(opens));
        const sending = [
          vm(1).send({ to: vm(2), pps: 2_000, srcPort: 4_000, dstPort: 4_001 }),
          vm(2).send({ to: vm(1), pps: 2_000, srcPort: 4_001, dstPort: 4_000 }),
        ];
        const count = async () => [await vm(2).receivedFrom(vm(1)), await vm(1).receivedFrom(vm(2))] as const;
        const before = await count();
        await until('traffic both ways', async () =>
          (await count()).every((n, i) => n.count > (before[i]?.count ?? 0) + 200) ? true : undefined,
        );
        expect(await dump()).toContain(`zone=${0x8001}`);
        // The list stays without the rule, or goes as a whole for one that has no state.
        await change(keep ? list() : { stateful: false, default: 'drop', rules: [PASSES_LAST] });
        const done = Date.now() + 1;
        const { sent } = await vm(1).received();
        await until('more to be sent', async () =>
          (await vm(1).received()).sent > sent + 500 ? true : undefined,
        );
        if (!keep) expect(await dump()).not.toContain(`zone=${0x8001}`);
        await vm(1).stopSending();
        await vm(2).stopSending();
        await Promise.all(sending);
        const [there, back] = await count();
        expect(await vm(1).sentAt(vm(2), there.last)).toBeLessThan(done);
        expect(await vm(2).sentAt(vm(1), back.last)).toBeLessThan(done);
      }
    });
  });
});
