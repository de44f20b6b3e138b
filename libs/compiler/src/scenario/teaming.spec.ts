import { beforeEach, describe, expect, it } from '@jest/globals';
import { groupDoc, mac, spread, switchDoc, type HostSpec } from '../documents.fixture.js';
import { BROADCAST_MAC, frame, udp } from './frames.fixture.js';
import { join, ManualClock, TestHost } from './world.fixture.js';

const order = (active: string[], standby: string[] = []) =>
  ({ vlan: { mode: 'access', id: 100 }, teaming: { active, standby } }) as never;

describe('teaming by uplink order', () => {
  let a: TestHost;
  const spec = (ports: HostSpec['ports']): HostSpec => ({
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [
      groupDoc('one', order(['uplink1'], ['uplink2'])),
      groupDoc('two', order(['uplink2', 'uplink1'])),
    ],
    ports,
  });
  const tagged = (f: Uint8Array) =>
    new Uint8Array([...f.subarray(0, 12), 0x81, 0, 0, 100, ...f.subarray(12)]);

  beforeEach(async () => {
    a = new TestHost('h1', new ManualClock());
    await a.become(
      spec([
        { n: 1, group: 'one' },
        { n: 2, group: 'two' },
      ]),
    );
  });

  it('sends by the first live uplink of the port, and by the next when that fails', () => {
    a.send(1, frame({ to: mac(9), from: mac(1) }));
    a.send(2, frame({ to: mac(9), from: mac(2) }));
    expect([a.wire('eth0').length, a.wire('eth1').length]).toEqual([1, 1]);
    a.switch.setLink('eth0', false);
    a.send(1, frame({ to: mac(9), from: mac(1) }));
    expect([a.wire('eth0').length, a.wire('eth1').length]).toEqual([1, 2]);
    a.switch.setLink('eth0', true);
    a.send(1, frame({ to: mac(9), from: mac(1) }));
    expect([a.wire('eth0').length, a.wire('eth1').length]).toEqual([2, 2]);
  });

  it('takes a broadcast from the uplink that the port is pinned to only', () => {
    const f = tagged(frame({ to: BROADCAST_MAC, from: mac(9) }));
    a.switch.inject('eth0', f);
    expect([a.got(1).length, a.got(2).length]).toEqual([1, 0]);
    a.switch.inject('eth1', f);
    expect([a.got(1).length, a.got(2).length]).toEqual([1, 1]);
    a.switch.setLink('eth0', false);
    a.switch.inject('eth1', f);
    expect([a.got(1).length, a.got(2).length]).toEqual([2, 2]);
  });

  it('lets no guest send what looks like a beacon', async () => {
    const { teaming } = order(['uplink1', 'uplink2']) as unknown as { teaming: object };
    const beacons = { teaming: { ...teaming, detection: 'beacon' }, forgedTransmits: true };
    await a.become({ ...spec([{ n: 1, group: 'probed' }]), groups: [groupDoc('probed', beacons as never)] });
    const to = '03:50:4f:52:54:4c';
    a.send(1, frame({ to, from: mac(1), type: 0x88b5 }), frame({ to, from: mac(7), type: 0x88b5 }));
    a.send(1, frame({ to, from: mac(1), type: 0x88b7 }));
    expect(a.wire('eth0').length).toBe(1);
  });

  it('never sends out by an uplink what came in by one, and drops its own frames coming back', () => {
    for (const to of [mac(8), BROADCAST_MAC]) a.switch.inject('eth0', tagged(frame({ to, from: mac(9) })));
    a.switch.inject('eth1', tagged(frame({ to: BROADCAST_MAC, from: mac(1) })));
    expect([a.wire('eth0').length, a.wire('eth1').length, a.got(2).length]).toEqual([0, 0, 0]);
  });

  it('takes unicast for a port by any uplink', () => {
    for (const device of ['eth0', 'eth1'])
      a.switch.inject(device, tagged(frame({ to: mac(1), from: mac(9) })));
    expect(a.got(1).length).toBe(2);
  });

  it('delivers each broadcast once between hosts with two uplinks on two segments', async () => {
    const b = new TestHost('h2', new ManualClock());
    join([a, b], ['eth0', 'eth1']);
    await b.become(
      spec([
        { n: 3, group: 'one' },
        { n: 4, group: 'one' },
      ]),
    );
    for (let i = 0; i < 100; i += 1) a.send(1, frame({ to: BROADCAST_MAC, from: mac(1) }));
    expect([3, 4].map((n) => b.got(n).length)).toEqual([100, 100]);
    expect(a.got(2).length).toBe(100);
  });
});

describe('teaming that spreads', () => {
  const ports = (mode: 'port' | 'mac' | 'ip-hash', count: number): HostSpec => ({
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [spread(mode)],
    ports: Array.from({ length: count }, (_, i) => ({ n: i + 1, group: mode })),
  });
  const sentBy = (host: TestHost, n: number): string => {
    host.forget();
    host.send(n, frame({ to: mac(99), from: mac(n) }));
    return ['eth0', 'eth1'].filter((device) => host.wire(device).length > 0).join();
  };

  it.each(['port', 'mac'] as const)(
    'by %s uses all active uplinks, and takes each broadcast once',
    async (mode) => {
      const count = 8;
      const a = new TestHost('h1', new ManualClock());
      await a.become(ports(mode, count));
      const all = Array.from({ length: count }, (_, i) => i + 1);
      const by = all.map((n) => sentBy(a, n));
      expect(new Set(by)).toEqual(new Set(['eth0', 'eth1']));
      if (mode === 'port') expect(by.filter((device) => device === 'eth0')).toHaveLength(count / 2);
      a.forget();
      const f = frame({ to: BROADCAST_MAC, from: mac(99), vlan: 100 });
      for (const device of ['eth0', 'eth1']) {
        a.switch.inject(device, f);
        // Each port has it by its own uplink, and by no other.
        expect(all.map((n) => a.got(n).length)).toEqual(
          by.map((own) => (device === 'eth1' || own === device ? 1 : 0)),
        );
      }
      a.switch.setLink('eth0', false);
      expect(all.map((n) => sentBy(a, n))).toEqual(all.map(() => 'eth1'));
    },
  );

  it('by IP hash sends a connection by one of all, and takes a broadcast by any', async () => {
    const a = new TestHost('h1', new ManualClock());
    await a.become(ports('ip-hash', 2));
    const ways = new Set<string>();
    for (let i = 0; i < 16; i += 1) {
      const one = [0, 1].map(() => {
        a.forget();
        a.send(1, udp(mac(99), mac(1), `10.0.0.${i}`, 7));
        return ['eth0', 'eth1'].filter((device) => a.wire(device).length === 1).join();
      });
      expect(one[0]).toBe(one[1]);
      ways.add(one[0] ?? '');
    }
    expect(ways).toEqual(new Set(['eth0', 'eth1']));
    a.forget();
    const f = frame({ to: BROADCAST_MAC, from: mac(99), vlan: 100 });
    for (const [i, device] of ['eth0', 'eth1'].entries()) {
      a.switch.inject(device, f);
      expect([a.got(1).length, a.got(2).length]).toEqual([i + 1, i + 1]);
    }
    expect([a.wire('eth0').length, a.wire('eth1').length]).toEqual([0, 0]);
  });
});
