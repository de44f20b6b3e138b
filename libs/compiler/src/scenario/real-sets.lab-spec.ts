import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diff, order } from '#openflow';
import { arrivals, LAST } from '../../../../test/lab/arrivals.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { compile } from '../compile.js';
import {
  addressSet,
  desiredOf,
  factsOf,
  groupDoc,
  mac,
  portSet,
  type HostSpec,
} from '../documents.fixture.js';
import { connectionsLeft } from '../features/state/forget.js';
import { packet, type PacketSpec } from './packets.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

type Sets = NonNullable<HostSpec['sets']>;
const IP = (n: number): string => `10.0.0.${n}`;
const HOSTS = { a: [1, 2], b: [3] } as const;
type Host = keyof typeof HOSTS;
const rule = (name: string, direction: string, action: string, match: object) => ({
  ...{ name, direction, action, tier: 1, enabled: true },
  match,
});
/** What nothing drops, so that what was sent before it must have been dealt with. */
const PASSES_LAST = { ...rule('last', 'both', 'allow', { etherType: LAST }), tier: 0 };
const many = (n: number): string[] => Array.from({ length: n }, (_, i) => `10.1.${i >> 8}.${i & 255}`);

/** Sets on two real switches, with real packets: port 1 has the filter, ports 2 and 3 are here and elsewhere. */
describe('sets on Open vSwitch', () => {
  let lab: Lab;
  const hosts = new Map<Host, RealHost>();
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;

  const spec = (host: Host, filter: object, sets: Sets): HostSpec => ({
    switches: { lan: { uplink1: 'up0' } },
    // All ports have the rules, so that both hosts hold the sets; it is the first one that they speak of.
    groups: [groupDoc('web', { vlan: { mode: 'access', id: 100 }, filter } as never)],
    ports: HOSTS[host].map((n) => ({ n })),
    sets,
  });
  const names = Object.keys(HOSTS) as Host[];

  const begin = async (filter: object, sets: Sets): Promise<void> => {
    for (const host of names) await hosts.get(host)!.become(spec(host, filter, sets));
  };

  /** The steps of an agent, once: what is not effective at their end shows. Flows that it changed. */
  async function change(filter: object, sets: Sets): Promise<number[]> {
    return Promise.all(
      names.map(async (host) => {
        const { driver } = hosts.get(host)!;
        const desired = desiredOf({ host, ...spec(host, filter, sets) });
        const facts = { ...factsOf(desired), interfaces: await driver.interfaces() };
        const plan = diff(compile(desired, facts).state, await driver.read());
        const flush = plan.bridges.map((b) => ({ bridge: b.bridge, connections: connectionsLeft(b) }));
        for (const step of order(plan, { flush })) await driver.apply(step);
        return plan.bridges.reduce(
          (sum, { flows: f }) => sum + f.add.length + f.change.length + f.remove.length,
          0,
        );
      }),
    );
  }

  /** Flows as another program sees them, without their counts. */
  const dump = async (host: Host): Promise<Set<string>> =>
    new Set((await lab.ofctl(host, '--no-stats', 'dump-flows', BRIDGE)).split('\n').map((l) => l.trim()));

  const between = (from: number, to: number, more: Partial<PacketSpec> = {}): Uint8Array =>
    packet({ to: mac(to), from: mac(from), src: IP(from), dst: IP(to), protocol: 'udp', ...more });

  async function arrives(from: number, to: number, f = between(from, to)): Promise<boolean> {
    const [came] = await arrivals(vm(from), vm(to), [f]);
    return came === true;
  }

  beforeAll(async () => {
    lab = await Lab.create({ hosts: names });
    for (const host of names) hosts.set(host, await realHost(lab, host));
    for (const host of names) {
      await hosts.get(host)!.become({ switches: { lan: { uplink1: 'up0' } }, ports: [] });
      for (const n of HOSTS[host]) vms.set(n, await lab.addVm(host, { bridge: BRIDGE, ...numbered(n) }));
    }
  });

  afterAll(async () => {
    for (const host of hosts.values()) await host.driver.close();
    await lab?.destroy();
  });

  it('lets who comes into a set of addresses through, and stops who leaves it', async () => {
    const friends = rule('friends', 'out', 'allow', { srcSet: 'friends' });
    const filter = {
      stateful: false,
      default: 'drop',
      rules: [PASSES_LAST, rule('all', 'in', 'allow', {}), friends],
    };
    const of = (...addresses: string[]): Sets => [addressSet('friends', addresses)];
    await begin(filter, of(IP(2)));
    expect([await arrives(2, 1), await arrives(3, 1)]).toEqual([true, false]);
    expect(await change(filter, of(IP(2), IP(3)))).toEqual([1, 1]);
    expect([await arrives(2, 1), await arrives(3, 1)]).toEqual([true, true]);
    expect(await change(filter, of(IP(3)))).toEqual([1, 1]);
    expect([await arrives(2, 1), await arrives(3, 1)]).toEqual([false, true]);
    await change(filter, of('10.0.0.0/8'));
    expect(await arrives(2, 1)).toBe(true);
  });

  it('knows ports of a set by their MACs, on whichever host they are', async () => {
    const filter = {
      stateful: false,
      default: 'allow',
      rules: [PASSES_LAST, rule('bad', 'out', 'drop', { srcSet: 'bad', ipVersion: 4 })],
    };
    await begin(filter, [portSet('bad', [mac(2)])]);
    expect([await arrives(2, 1), await arrives(3, 1)]).toEqual([false, true]);
    await change(filter, [portSet('bad', [mac(2), mac(3)])]);
    expect([await arrives(2, 1), await arrives(3, 1)]).toEqual([false, false]);
    await change(filter, [portSet('bad', [mac(3)], { mode: 'access', id: 101 })]);
    expect([await arrives(2, 1), await arrives(3, 1)]).toEqual([true, true]);
  });

  it('changes one flow a host when one of a thousand members changes', async () => {
    const filter = {
      stateful: false,
      default: 'allow',
      rules: [PASSES_LAST, rule('bad', 'out', 'drop', { srcSet: 'bad' })],
    };
    await begin(filter, [addressSet('bad', many(1_000))]);
    expect(await arrives(3, 1)).toBe(true);
    const before = await Promise.all(names.map(dump));
    expect(await change(filter, [addressSet('bad', [...many(1_000), IP(3)])])).toEqual([1, 1]);
    const after = await Promise.all(names.map(dump));
    for (const i of names.keys()) {
      const [was, is] = [before[i]!, after[i]!];
      expect([...was].filter((flow) => !is.has(flow))).toEqual([]);
      const fresh = [...is].filter((flow) => !was.has(flow));
      expect(fresh).toEqual([
        expect.stringMatching(/table=90,.* priority=33,ip,nw_src=10\.0\.0\.3 actions=/),
      ]);
    }
    expect(await arrives(3, 1)).toBe(false);
    expect(await arrives(2, 1)).toBe(true);
  });

  it('stops connections of who leaves a set, both ways, once the change is done', async () => {
    const opens = rule('opens', 'in', 'allow', { ipVersion: 4, ipProtocol: 17, dstSet: 'servers' });
    const filter = { stateful: true, default: 'drop', rules: [PASSES_LAST, opens] };
    const open = groupDoc('open', { vlan: { mode: 'access', id: 100 } } as never);
    const of = (...addresses: string[]): Sets => [addressSet('servers', addresses)];
    // The rules of the one that asks alone: the others answer freely.
    const only = (host: Host, sets: Sets): HostSpec => ({
      ...spec(host, filter, sets),
      groups: [groupDoc('web', { vlan: { mode: 'access', id: 100 }, filter } as never), open],
      ports: HOSTS[host].map((n) => ({ n, group: n === 1 ? 'web' : 'open' })),
    });
    for (const host of names) await hosts.get(host)!.become(only(host, of(IP(3))));
    const sending = [
      vm(1).send({ to: vm(3), pps: 1_000, srcPort: 4_000, dstPort: 4_001 }),
      vm(3).send({ to: vm(1), pps: 1_000, srcPort: 4_001, dstPort: 4_000 }),
    ];
    const count = async () => [await vm(3).receivedFrom(vm(1)), await vm(1).receivedFrom(vm(3))] as const;
    const before = await count();
    await until('traffic both ways', async () =>
      (await count()).every((n, i) => n.count > (before[i]?.count ?? 0) + 100) ? true : undefined,
    );
    const { driver } = hosts.get('a')!;
    const desired = desiredOf({ host: 'a', ...only('a', of(IP(2))) });
    const facts = { ...factsOf(desired), interfaces: await driver.interfaces() };
    const plan = diff(compile(desired, facts).state, await driver.read());
    for (const step of order(plan, { flush: [] })) await driver.apply(step);
    const done = Date.now() + 1;
    const { sent } = await vm(3).received();
    await until('more to be sent', async () =>
      (await vm(3).received()).sent > sent + 200 ? true : undefined,
    );
    for (const n of [1, 3]) await vm(n).stopSending();
    await Promise.all(sending);
    const [there, back] = await count();
    expect(await vm(1).sentAt(vm(3), there.last)).toBeLessThan(done);
    expect(await vm(3).sentAt(vm(1), back.last)).toBeLessThan(done);
  });
});
