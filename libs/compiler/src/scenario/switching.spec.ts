import { beforeEach, describe, expect, it } from '@jest/globals';
import { groupDoc, mac, switchDoc, type HostSpec } from '../documents.fixture.js';
import { BROADCAST_MAC, frame, udp, vlanOf } from './frames.fixture.js';
import { join, ManualClock, TestHost } from './world.fixture.js';

const vlan = (id: number) => ({ vlan: { mode: 'access', id } as never });
const GROUPS = [
  groupDoc('web', vlan(100)),
  groupDoc('db', vlan(200)),
  groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 90, to: 150 }] } as never }),
];
const frames = (f: Uint8Array, times: number): Uint8Array[] => new Array<Uint8Array>(times).fill(f);

describe('two hosts on one segment', () => {
  let clock: ManualClock;
  let a: TestHost;
  let b: TestHost;
  const ports = (spec: HostSpec['ports']): HostSpec => ({ groups: GROUPS, ports: spec });

  beforeEach(() => {
    clock = new ManualClock();
    a = new TestHost('h1', clock);
    b = new TestHost('h2', clock);
    join([a, b]);
  });

  it('forwards within a VLAN, on one host and over the wire, and never between VLANs', async () => {
    await a.become(ports([{ n: 1 }, { n: 2 }, { n: 3, group: 'db' }]));
    await b.become(ports([{ n: 4 }, { n: 5, group: 'db' }]));
    a.send(
      1,
      frame({ to: mac(2), from: mac(1) }),
      frame({ to: mac(4), from: mac(1) }),
      frame({ to: mac(5), from: mac(1) }),
    );
    a.send(1, frame({ to: BROADCAST_MAC, from: mac(1) }));
    expect([1, 2, 3].map((n) => a.got(n).length)).toEqual([0, 2, 0]);
    expect([4, 5].map((n) => b.got(n).length)).toEqual([2, 0]);
    expect(b.got(4).map(vlanOf)).toEqual([undefined, undefined]);
    expect(a.wire().map(vlanOf)).toEqual([100, 100, 100]);
    expect(await a.counts(1)).toEqual([
      [3, 0, 1],
      [0, 0, 0],
    ]);
    expect(await b.counts(4)).toEqual([
      [0, 0, 0],
      [1, 0, 1],
    ]);
  });

  it('gives a trunk its own VLANs with their tags, and refuses others and untagged frames', async () => {
    await a.become(ports([{ n: 1 }, { n: 2, group: 'trunk' }, { n: 3, group: 'db' }]));
    await b.become(ports([{ n: 4 }, { n: 5, group: 'trunk' }]));
    a.send(
      2,
      frame({ to: BROADCAST_MAC, from: mac(2), vlan: 100 }),
      frame({ to: BROADCAST_MAC, from: mac(2), vlan: 120 }),
    );
    a.send(
      2,
      frame({ to: BROADCAST_MAC, from: mac(2), vlan: 200 }),
      frame({ to: BROADCAST_MAC, from: mac(2) }),
    );
    expect(a.got(1).map(vlanOf)).toEqual([undefined]);
    expect(b.got(5).map(vlanOf)).toEqual([100, 120]);
    expect(b.got(4).length).toBe(1);
    expect(a.got(3).length).toBe(0);
    expect((await a.counts(2))[0]).toEqual([0, 0, 4]);
    a.send(1, frame({ to: mac(2), from: mac(1), vlan: 100 }));
    expect(a.got(2)).toEqual([]);
  });

  it('drops forged sources, reserved destinations and blocked ports, and counts what was sent', async () => {
    await a.become(ports([{ n: 1 }, { n: 2 }, { n: 3, override: { blocked: true } }]));
    a.send(1, frame({ to: mac(2), from: mac(9) }), frame({ to: '01:80:c2:00:00:00', from: mac(1) }));
    a.send(3, frame({ to: mac(2), from: mac(3) }));
    a.send(1, frame({ to: mac(3), from: mac(1) }), frame({ to: BROADCAST_MAC, from: mac(1) }));
    expect([1, 2, 3].map((n) => a.got(n).length)).toEqual([0, 1, 0]);
    expect((await a.counts(1))[0]).toEqual([2, 1, 1]);
    expect(await a.counts(3)).toEqual([
      [1, 0, 0],
      [0, 0, 0],
    ]);
    expect(a.wire().length).toBe(1);
  });

  it('lets the first matching rule decide, in the direction it is for', async () => {
    const filter = [
      {
        name: 'dns',
        direction: 'in',
        action: 'allow',
        match: { ipProtocol: 17, dst: '10.0.0.53', dstPort: { from: 53, to: 53 } },
      },
      {
        name: 'low',
        direction: 'in',
        action: 'drop',
        match: { ipProtocol: 17, dstPort: { from: 1, to: 1023 } },
      },
      {
        name: 'no-http-in',
        direction: 'out',
        action: 'drop',
        match: { ipProtocol: 17, dstPort: { from: 80, to: 80 } },
      },
    ] as const;
    await a.become(ports([{ n: 1, override: { filter } as never }, { n: 2 }]));
    a.send(1, ...[53, 80, 1023, 1024].map((p) => udp(mac(2), mac(1), '10.0.0.53', p)));
    a.send(2, ...[53, 80].map((p) => udp(mac(1), mac(2), '10.0.0.1', p)));
    expect(a.got(2).length).toBe(2);
    expect(a.got(1).length).toBe(1);
    const rule = a.compiled.bindings[0]?.rules[1];
    // The counts of flows come late, unless the cache is emptied.
    await a.driver.apply({ kind: 'purge', bridge: 'pt-lan' });
    const hits = await a.driver.flowStats('pt-lan', rule?.cookie ?? 0n, rule?.mask ?? 0n);
    expect(hits.reduce((sum, f) => sum + f.packets, 0n)).toBe(2n);
  });

  it('does not let one shaped port starve the others of a broadcast, nor the uplink', async () => {
    const shapingOut = { average: 8_000, peak: 8_000, burst: 2_000 };
    await a.become(ports([{ n: 1 }, { n: 2, override: { shapingOut } }, { n: 3 }, { n: 4 }]));
    a.send(1, ...frames(frame({ to: BROADCAST_MAC, from: mac(1) }), 200));
    expect(a.got(1).length).toBe(0);
    expect(a.got(2).length).toBeLessThan(60);
    expect([a.got(3).length, a.got(4).length, a.wire().length]).toEqual([200, 200, 200]);
    expect((await a.counts(2))[1][2]).toBe(a.got(2).length);
    expect(await a.counts(1)).toEqual([
      [0, 0, 200],
      [0, 0, 0],
    ]);
  });

  it('polices what a port sends to its average, after it was counted', async () => {
    const shapingIn = { average: 1_000_000, peak: 4_000_000, burst: 12_500 };
    await a.become(ports([{ n: 1, override: { shapingIn } }, { n: 2 }]));
    const big = new Uint8Array(1250);
    big.set(frame({ to: mac(2), from: mac(1) }));
    for (let ms = 0; ms < 10_000; ms += 2) {
      a.send(1, big);
      clock.advance(2);
    }
    const kilobits = (a.got(2).length * 1250 * 8) / 1000 / 10;
    expect(kilobits).toBeGreaterThan(990);
    expect(kilobits).toBeLessThan(1050);
    expect((await a.counts(1))[0][0]).toBe(5000);
  });

  it('keeps switches of one host apart, also on one VLAN', async () => {
    const inner = groupDoc('inner', vlan(100), 'inner');
    await a.become({
      switches: { lan: { uplink1: 'eth0' }, inner: {} },
      docs: [switchDoc(), switchDoc('inner', [])],
      groups: [...GROUPS, inner],
      ports: [{ n: 1 }, { n: 2, switch: 'inner', group: 'inner' }, { n: 3, switch: 'inner', group: 'inner' }],
    });
    a.send(1, frame({ to: BROADCAST_MAC, from: mac(1) }));
    a.send(2, frame({ to: BROADCAST_MAC, from: mac(2) }), frame({ to: mac(3), from: mac(2) }));
    expect([1, 2, 3].map((n) => a.got(n).length)).toEqual([0, 0, 2]);
    expect(a.wire().length).toBe(1);
    expect(a.compiled.exceptions).toEqual([]);
  });

  it('gives promiscuous ports a copy of what others get, and unknown unicast to those that ask', async () => {
    await a.become(
      ports([
        { n: 1 },
        { n: 2 },
        { n: 3, override: { promiscuous: true } },
        { n: 4, override: { macChanges: true } },
      ]),
    );
    a.send(1, frame({ to: mac(2), from: mac(1) }));
    expect([2, 3, 4].map((n) => a.got(n).length)).toEqual([1, 1, 0]);
    a.send(1, frame({ to: mac(3), from: mac(1) }));
    expect([2, 3, 4].map((n) => a.got(n).length)).toEqual([1, 2, 0]);
    a.send(1, frame({ to: mac(99), from: mac(1) }));
    expect([2, 3, 4].map((n) => a.got(n).length)).toEqual([1, 3, 1]);
    expect(a.wire().length).toBe(1);
  });
});
