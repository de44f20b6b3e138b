import { describe, expect, it } from '@jest/globals';
import { mac } from '../documents.fixture.js';
import { BROADCAST_MAC, destination, frame, tagged, vlanOf, vlansOf } from './frames.fixture.js';
import { MIRROR_VLAN, mirroredHost } from './mirrors.fixture.js';
import { ManualClock, settle, TestHost } from './world.fixture.js';

const to = (n: number, from: number, vlan?: number) =>
  frame({ to: mac(n), from: mac(from), ...(vlan === undefined ? {} : { vlan }) });
const seen = (frames: readonly Uint8Array[]) => frames.map((f) => [destination(f), vlanOf(f)]);

async function hostOf(...args: Parameters<typeof mirroredHost>): Promise<TestHost> {
  const host = new TestHost('h1', new ManualClock());
  await host.become(mirroredHost(...args));
  host.forget();
  return host;
}

const LOOK = { to: { port: 'p4' } };
const FAR = { to: { uplinks: ['uplink2', 'uplink1'], vlan: MIRROR_VLAN } };

describe('mirrors', () => {
  it('copy what a port sends and gets to another, and nothing else to it', async () => {
    const host = await hostOf([{ ...LOOK, sources: [{ port: 'p1', direction: 'both' }] }]);
    expect(host.compiled.exceptions).toEqual([]);
    host.send(1, to(2, 1));
    host.send(2, to(1, 2));
    host.send(2, frame({ to: BROADCAST_MAC, from: mac(2) }));
    host.send(2, to(3, 2));
    host.send(4, frame({ to: BROADCAST_MAC, from: mac(4) }));
    await settle();
    expect(seen(host.got(4))).toEqual([
      [mac(2), undefined],
      [mac(1), undefined],
      [BROADCAST_MAC, undefined],
    ]);
    expect(host.got(1)).toHaveLength(2);
    expect(host.got(2)).toHaveLength(1);
    // The one who looks on counts what it is handed, and what it sends is dropped.
    expect(await host.counts(4)).toEqual([
      [0, 0, 1],
      [2, 0, 1],
    ]);
  });

  it('count nothing that is not handed over: who looks on and speaks as well gets no copies of its own', async () => {
    const host = await hostOf(
      [{ ...LOOK, sources: [{ port: 'p1', direction: 'both' }], allowTraffic: true }],
      { ports: [{ n: 1 }, { n: 4 }] },
    );
    host.send(4, frame({ to: BROADCAST_MAC, from: mac(4) }), to(1, 4));
    host.send(1, to(4, 1));
    await settle();
    expect(host.got(4)).toHaveLength(2);
    expect(await host.counts(4)).toEqual([
      [1, 0, 1],
      [2, 0, 0],
    ]);
  });

  it('carry copies away also by the uplink that brought the frame', async () => {
    const sources = [{ port: 'p1', direction: 'out' }];
    const host = await hostOf([{ sources, to: { uplinks: ['uplink1'], vlan: MIRROR_VLAN } }]);
    host.switch.inject('eth0', to(1, 9, 100));
    host.switch.inject('eth1', to(1, 9, 100));
    await settle();
    expect(seen(host.wire())).toEqual([
      [mac(1), MIRROR_VLAN],
      [mac(1), MIRROR_VLAN],
    ]);
  });

  it('copy one direction, also of what policy drops, and of whole groups but for the port that they go to', async () => {
    const host = await hostOf(
      [{ ...LOOK, sources: [{ group: 'web', direction: 'in' }], allowTraffic: true }],
      {
        ports: [{ n: 1 }, { n: 2, override: { blocked: true } }, { n: 4 }],
      },
    );
    host.send(1, to(4, 1));
    host.send(2, to(4, 2));
    host.send(4, to(1, 4));
    await settle();
    // Its own frame from port 1, and a copy of it; of port 2 only the copy.
    expect(seen(host.got(4))).toEqual([
      [mac(4), undefined],
      [mac(4), undefined],
      [mac(4), undefined],
    ]);
    expect(host.got(1)).toHaveLength(1);
  });

  it('show the tag that a trunk has, copy the VLANs that they name, and cut', async () => {
    const sources = [{ port: 'p3', direction: 'both' }];
    const host = await hostOf([{ ...LOOK, sources, vlans: [101, 102], snapLength: 64 }]);
    for (const vlan of [undefined, 101, 103]) host.send(3, to(5, 3, vlan));
    host.send(5, to(3, 5, 100), to(3, 5, 101), to(3, 5, 103));
    host.send(5, frame({ to: mac(3), from: mac(5), vlan: 102, payload: new Array<number>(500).fill(7) }));
    await settle();
    expect(seen(host.got(4))).toEqual([
      [mac(5), 101],
      [mac(3), 101],
      [mac(3), 102],
    ]);
    expect(host.got(4).map((f) => f.length)).toEqual([60, 60, 64]);
    expect(host.got(3).map((f) => f.length)).toContain(518);
  });

  it('leave by the first live uplink in a VLAN of their own, whatever tag a frame had, and reach no port', async () => {
    const host = await hostOf([{ ...FAR, sources: [{ group: 'trunk', direction: 'in' }] }]);
    host.send(3, to(1, 3), to(1, 3, 105));
    await settle();
    expect(seen(host.wire('eth1'))).toEqual([
      [mac(1), MIRROR_VLAN],
      [mac(1), MIRROR_VLAN],
    ]);
    expect(host.got(5)).toEqual([]);
    host.forget();
    // Not even what comes back, or what a guest sends there itself.
    for (const f of host.wire('eth1')) host.switch.inject('eth0', f);
    host.switch.inject('eth0', frame({ to: BROADCAST_MAC, from: mac(77), vlan: MIRROR_VLAN }));
    host.send(5, frame({ to: BROADCAST_MAC, from: mac(5), vlan: MIRROR_VLAN }));
    await settle();
    expect([...host.received.values()].flat()).toEqual([]);
    host.switch.setLink('eth1', false);
    host.send(3, to(1, 3));
    expect(seen(host.wire('eth0'))).toContainEqual([mac(1), MIRROR_VLAN]);
  });

  it("leave in a VLAN with its tag in place of that of their own, and before those that are the guest's", async () => {
    const within = (n: number, from: number, ...tags: readonly number[]) => tagged(to(n, from), tags);
    const copied = async (source: object, device: string, sent: Uint8Array) => {
      const host = await hostOf([{ ...FAR, sources: [{ direction: 'both', ...source }] }]);
      host.switch.inject(device, sent);
      await settle();
      return host.wire('eth1').map(vlansOf);
    };
    for (const [source, device, sent] of [
      // Behind its VLAN's tag, which an access port's guest does not get, and what such a guest must not send.
      [{ port: 'p1' }, 'eth0', within(1, 77, 100, 7)],
      [{ port: 'p1' }, 'tap1', within(2, 1, 7)],
      // The trunk's native VLAN, and another.
      [{ port: 'p3' }, 'eth0', within(3, 77, 100, 7)],
      [{ port: 'p3' }, 'eth0', within(3, 77, 105, 7)],
      [{ port: 'p3' }, 'tap3', within(1, 3, 105, 7)],
      [{ uplink: 'uplink1' }, 'tap3', within(1, 3, 105, 7)],
      [{ uplink: 'uplink1' }, 'eth0', within(1, 77, 100, 7)],
      [{ uplink: 'uplink1' }, 'eth0', within(1, 77, 0, 7)],
    ] as const)
      expect([source, device, vlansOf(sent), await copied(source, device, sent)]).toEqual([
        source,
        device,
        vlansOf(sent),
        [[MIRROR_VLAN, 7]],
      ]);
  });

  it('copy what an uplink brings and takes as on the wire, and no copy again', async () => {
    const both = { uplink: 'uplink1', direction: 'both' };
    const host = await hostOf([
      { ...LOOK, sources: [both] },
      { ...FAR, sources: [both, { uplink: 'uplink2', direction: 'in' }] },
    ]);
    host.switch.inject('eth0', frame({ to: mac(1), from: mac(77), vlan: 100 }));
    host.switch.inject('eth0', frame({ to: mac(1), from: mac(77) }));
    host.send(1, to(88, 1));
    await settle();
    expect(seen(host.got(4))).toEqual([
      [mac(1), 100],
      [mac(1), undefined],
      [mac(88), 100],
    ]);
    expect(seen(host.wire('eth1'))).toEqual([
      [mac(1), MIRROR_VLAN],
      [mac(1), MIRROR_VLAN],
      [mac(88), MIRROR_VLAN],
    ]);
    host.forget();
    host.switch.inject('eth0', frame({ to: mac(1), from: mac(77), vlan: MIRROR_VLAN }));
    await settle();
    expect([...host.received.values()].flat()).toEqual([]);
  });

  it('end at a port that takes them from the wire', async () => {
    const sources = [{ uplink: 'uplink1', direction: 'in' }];
    const host = await hostOf([
      { ...LOOK, sources, vlans: [MIRROR_VLAN] },
      { ...FAR, sources: [{ port: 'p1', direction: 'in' }] },
    ]);
    host.switch.inject('eth0', frame({ to: mac(77), from: mac(78), vlan: MIRROR_VLAN }));
    host.switch.inject('eth0', frame({ to: BROADCAST_MAC, from: mac(78), vlan: 100 }));
    await settle();
    expect(seen(host.got(4))).toEqual([[mac(77), MIRROR_VLAN]]);
  });

  it('copy nothing where the port that they go to is not, and say what can not be done', async () => {
    const sources = [{ port: 'p1', direction: 'both' }];
    const host = await hostOf(
      [
        { sources, to: { port: 'p9' } },
        { sources, to: { uplinks: ['uplink9'], vlan: 7 } },
        { sources, to: { erspan: '10.0.0.9', session: 1 } },
      ],
      {},
    );
    expect(host.compiled.exceptions.map(({ object, code, reason }) => [object, code, reason])).toEqual([
      ['switch/lan', 'mirror-invalid', 'mirror m1: none of its uplinks is there: uplink9'],
      ['switch/lan', 'not-enforceable', expect.stringMatching(/^mirror m2: .*tunnel/)],
    ]);
    host.send(1, to(2, 1));
    await settle();
    expect(host.got(2)).toHaveLength(1);
    expect(host.wire('eth0').concat(host.wire('eth1'))).toEqual([]);
  });
});
