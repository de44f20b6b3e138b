import { describe, expect, it } from '@jest/globals';
import { type Epoch, type PortId } from '#kernel';
import { type PolicyPatch } from '#domain';
import { isLearned } from '#openflow';
import { type SwitchOptions } from '#simulated-switch';
import { mac, TOKEN, type PortSpec } from '../documents.fixture.js';
import { TABLES } from '../pipeline/tables.js';
import { BROADCAST_MAC, destination, frame, rarp, vlanOf } from './frames.fixture.js';
import { MIRROR_VLAN, mirroredHost } from './mirrors.fixture.js';
import { privateHost } from './private-vlan.fixture.js';
import { join, ManualClock, settle, TestHost } from './world.fixture.js';

const at = (epoch: number) => ({ port: 'p2' as PortId, epoch: epoch as Epoch });
const MOVING: PortSpec = { n: 2, token: TOKEN };
const ARRIVING: PortSpec = { n: 2, role: 'standby', epoch: 2, token: TOKEN };

/** Port 2 is about to move from `a` to `b`; 1 stays on `a`, 3 on `b`, 4 on `c`. */
async function prepared(options: SwitchOptions = {}, override: PolicyPatch = {}) {
  const clock = new ManualClock();
  const [a, b, c] = ['h1', 'h2', 'h3'].map((name) => new TestHost(name, clock, options)) as [
    TestHost,
    TestHost,
    TestHost,
  ];
  join([a, b, c]);
  await a.become({ ports: [{ n: 1, override }, MOVING] });
  await b.become({ ports: [{ n: 3, override }, ARRIVING] });
  await c.become({ ports: [{ n: 4, override }] });
  return { a, b, c };
}

const learned = async (host: TestHost) =>
  (await host.driver.read()).bridges.flatMap((b) => b.flows.filter((f) => isLearned(f.flow.cookie)));

describe('a switch-over in the data plane', () => {
  it('keeps the standby silent and deaf until the guest speaks there', async () => {
    const { a, b, c } = await prepared();
    c.send(4, frame({ to: mac(2), from: mac(4) }), frame({ to: BROADCAST_MAC, from: mac(4) }));
    b.send(3, frame({ to: mac(2), from: mac(3) }));
    expect([a.got(2).length, b.got(2).length]).toEqual([3, 0]);
    expect(await learned(b)).toEqual([]);
  });

  it('turns both hosts with the first frame; nothing is lost, doubled or miscounted', async () => {
    const { a, b, c } = await prepared();
    for (let i = 0; i < 10; i += 1) a.send(2, frame({ to: mac(4), from: mac(2) }));
    expect(c.got(4).length).toBe(10);
    b.send(2, rarp(mac(2)));
    for (let i = 0; i < 20; i += 1) b.send(2, frame({ to: mac(4), from: mac(2) }));
    expect(c.got(4).filter((f) => destination(f) === mac(4)).length).toBe(30);
    expect(c.got(4).filter((f) => destination(f) === BROADCAST_MAC).length).toBe(1);
    c.send(4, frame({ to: mac(2), from: mac(4) }), frame({ to: BROADCAST_MAC, from: mac(4) }));
    a.send(1, frame({ to: mac(2), from: mac(1) }));
    b.send(3, frame({ to: mac(2), from: mac(3) }));
    expect([a.got(2).length, b.got(2).length]).toEqual([0, 4]);
    a.send(2, frame({ to: mac(1), from: mac(2) }));
    expect(a.got(1).filter((f) => destination(f) === mac(1))).toEqual([]);
    expect((await a.counts(2))[0]).toEqual([11, 0, 0]);
    expect((await b.counts(2))[0]).toEqual([20, 0, 1]);
    await settle();
    expect(b.notices).toEqual([{ kind: 'activated', slot: expect.any(Number), epoch: 2 }]);
    expect(a.notices).toEqual([{ kind: 'turned', slot: expect.any(Number), epoch: 1 }]);
  });

  it('is opened by any frame of the guest, and sends the token once', async () => {
    const { a, b, c } = await prepared();
    const before = a.wire().length;
    b.send(2, frame({ to: mac(3), from: mac(2) }), frame({ to: mac(4), from: mac(2) }));
    expect(b.got(3).length).toBe(1);
    expect(b.wire().map(destination)).toEqual([TOKEN, mac(4)]);
    expect(a.wire().length).toBe(before);
    expect((await learned(a)).map((f) => f.flow.table)).toEqual([TABLES.ACTIVITY]);
    expect(c.got(4).map(destination)).toEqual([mac(4)]);
  });

  it('is not turned by a forged RARP, a forged source or a guessed token', async () => {
    const { a, c } = await prepared();
    for (const forged of [
      rarp(mac(2)),
      frame({ to: TOKEN, from: mac(9) }),
      frame({ to: '03:00:00:00:00:01', from: mac(2) }),
      frame({ to: mac(1), from: mac(2) }),
    ]) {
      const tagged = new Uint8Array([...forged.subarray(0, 12), 0x81, 0, 0, 100, ...forged.subarray(12)]);
      a.switch.inject('eth0', tagged);
    }
    expect(await learned(a)).toEqual([]);
    expect(a.got(1).filter((f) => destination(f) === mac(1))).toEqual([]);
    c.send(4, frame({ to: mac(2), from: mac(4) }));
    expect(a.got(2).length).toBeGreaterThan(0);
  });

  it('shows the token to no guest and no mirror, whatever they are allowed to hear', async () => {
    const clock = new ManualClock();
    const hosts = ['h1', 'h2', 'h3'].map((name) => new TestHost(name, clock));
    join(hosts, ['eth0', 'eth1']);
    const [a, b, c] = hosts as [TestHost, TestHost, TestHost];
    const to = { port: 'p4' };
    const wire = ['uplink1', 'uplink2'].map((uplink) => ({ sources: [{ uplink, direction: 'both' }], to }));
    const away = [
      {
        sources: [{ uplink: 'uplink1', direction: 'both' }],
        to: { uplinks: ['uplink2'], vlan: MIRROR_VLAN },
      },
    ];
    const curious = { n: 5, group: 'all', override: { promiscuous: true, macChanges: true } } as const;
    const looking = [{ n: 4, group: 'look' }, curious] as const;
    await a.become(mirroredHost(wire, { ports: [MOVING, ...looking] }));
    await b.become(mirroredHost(wire, { ports: [ARRIVING, ...looking] }));
    await c.become(mirroredHost(away, { ports: [{ n: 1 }, curious] }));
    b.send(2, rarp(mac(2)));
    expect((await learned(a)).map((f) => f.flow.table)).toEqual([TABLES.ACTIVITY]);
    const saw = hosts.flatMap(({ name, received }) =>
      [...received]
        .filter(([, frames]) => frames.map(destination).includes(TOKEN))
        .map(([at]) => `${name} ${at}`),
    );
    expect(saw).toEqual(['h2 eth0']);
    expect(a.got(4).map(destination)).toContain(BROADCAST_MAC);
  });

  it('turns a port of a private VLAN, whose token bears its secondary on the wire', async () => {
    const clock = new ManualClock();
    const hosts = ['h1', 'h2', 'h3'].map((name) => new TestHost(name, clock));
    join(hosts);
    const [a, b, c] = hosts as [TestHost, TestHost, TestHost];
    const group = 'alone';
    const at = (ports: readonly PortSpec[]) => ({ ...privateHost('a', { uplink1: 'eth0' }), ports });
    await a.become(
      at([
        { n: 1, group: 'router' },
        { ...MOVING, group },
      ]),
    );
    await b.become(
      at([
        { n: 3, group: 'router' },
        { ...ARRIVING, group },
      ]),
    );
    await c.become(at([{ n: 4, group: 'router' }]));
    b.send(2, rarp(mac(2)));
    expect((await learned(a)).map((f) => f.flow.table)).toEqual([TABLES.ACTIVITY]);
    expect(b.wire().map((f) => [destination(f), vlanOf(f)])).toEqual([
      [TOKEN, 101],
      [BROADCAST_MAC, 101],
    ]);
    expect(c.got(4).map(destination)).toEqual([BROADCAST_MAC]);
    expect(a.got(1).map(destination)).toEqual([BROADCAST_MAC]);
  });

  it('takes the token from no guest, wherever it is, though it may forge its MAC', async () => {
    const { a, b, c } = await prepared({}, { forgedTransmits: true });
    a.send(1, frame({ to: TOKEN, from: mac(2) }));
    b.send(3, frame({ to: TOKEN, from: mac(2) }));
    c.send(4, frame({ to: TOKEN, from: mac(2) }), frame({ to: TOKEN, from: mac(4) }));
    expect([...(await learned(a)), ...(await learned(b))]).toEqual([]);
    expect([a, b, c].flatMap((host) => host.wire())).toEqual([]);
  });

  it('is not opened by a frame that the port may not send', async () => {
    const { b } = await prepared();
    b.send(
      2,
      frame({ to: BROADCAST_MAC, from: mac(9) }),
      frame({ to: BROADCAST_MAC, from: mac(2), vlan: 100 }),
    );
    expect(await learned(b)).toEqual([]);
    expect(b.wire()).toEqual([]);
  });

  it('takes the learned rows over as compiled ones, together with their triggers', async () => {
    const { a, b, c } = await prepared();
    b.send(2, rarp(mac(2)));
    await a.become({ ports: [{ n: 1 }, MOVING] }, { handedOver: [at(1)] });
    await b.become({ ports: [{ n: 3 }, ARRIVING] }, { activations: [at(2)] });
    expect([...(await learned(a)), ...(await learned(b))]).toEqual([]);
    const tables = a.compiled.state.bridges.flatMap((x) =>
      x.flows.map((f) => f.actions.some((y) => y.kind === 'learn')),
    );
    expect(tables).not.toContain(true);
    c.send(4, frame({ to: mac(2), from: mac(4) }));
    b.send(2, frame({ to: mac(4), from: mac(2) }));
    expect([a.got(2).length, b.got(2).length]).toEqual([0, 1]);
    expect(b.compiled.bindings.find((x) => x.port === 'p2')?.open).toBe(true);
    expect(a.compiled.bindings.find((x) => x.port === 'p2')?.open).toBe(false);
    const counted = await a.counts(2);
    await a.become({ ports: [{ n: 1 }, { n: 2, role: 'retired' }] });
    a.send(2, frame({ to: mac(1), from: mac(2) }));
    expect(await a.counts(2)).toEqual(counted);
  });

  it('goes back the same way, to where an older row once stood', async () => {
    const { a, b, c } = await prepared();
    b.send(2, rarp(mac(2)));
    const back = '83:5e:c2:e7:00:02';
    await b.become({ ports: [{ n: 3 }, { n: 2, epoch: 2, token: back }] }, { activations: [at(2)] });
    await a.become({ ports: [{ n: 1 }, { n: 2, role: 'standby', epoch: 3, token: back }] });
    c.send(4, frame({ to: mac(2), from: mac(4) }));
    a.forget();
    b.forget();
    a.send(2, rarp(mac(2)));
    c.send(4, frame({ to: mac(2), from: mac(4) }));
    expect([a.got(2).length, b.got(2).length]).toEqual([1, 0]);
  });

  it('takes the last frames of the former host, which come late, until the centre took note', async () => {
    const { a, b } = await prepared();
    b.send(2, rarp(mac(2)));
    b.forget();
    const late = frame({ to: mac(3), from: mac(2) });
    const tagged = (f: Uint8Array) =>
      new Uint8Array([...f.subarray(0, 12), 0x81, 0, 0, 100, ...f.subarray(12)]);
    b.switch.inject('eth0', tagged(late));
    expect(b.got(3)).toEqual([late]);
    await b.become({ ports: [{ n: 3 }, ARRIVING] }, { activations: [at(2)] });
    b.switch.inject('eth0', tagged(late));
    expect(b.got(3)).toEqual([late, late]);
    b.switch.inject('eth0', tagged(frame({ to: BROADCAST_MAC, from: mac(2) })));
    await b.become({ ports: [{ n: 3 }, { n: 2, epoch: 2 }] }, { activations: [at(2)] });
    b.switch.inject('eth0', tagged(late));
    expect(b.got(3)).toEqual([late, late]);
    expect(a.got(2)).toEqual([]);
  });

  it('needs the cache to be purged when it is armed, as on a real switch', async () => {
    const clock = new ManualClock();
    const b = new TestHost('h2', clock, { cacheDecisions: true });
    await b.become({ ports: [{ n: 2, role: 'standby', epoch: 2, token: TOKEN }] });
    const [bridge] = b.compiled.state.bridges;
    b.send(2, rarp(mac(2)));
    expect((await learned(b)).length).toBe(1);
    const row = (await learned(b))[0]?.flow;
    if (row === undefined || bridge === undefined) throw new Error('no row was learned');
    b.switch.deleteFlow(bridge.name, row);
    b.send(2, rarp(mac(2)));
    expect(await learned(b)).toEqual([]);
    await b.driver.apply({ kind: 'purge', bridge: bridge.name });
    b.send(2, rarp(mac(2)));
    expect((await learned(b)).length).toBe(1);
  });
});
