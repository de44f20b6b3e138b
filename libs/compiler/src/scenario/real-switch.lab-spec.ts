import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, TOKEN, type HostSpec } from '../documents.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const GROUPS = [
  groupDoc('web', { vlan: { mode: 'access', id: 100 } as never }),
  groupDoc('db', { vlan: { mode: 'access', id: 200 } as never }),
  groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 90, to: 150 }] } as never, promiscuous: true }),
];

/** A switch that stands still for half a second must not lose a frame: its sockets hold not quite 300. */
const PPS = 500;

const host = (ports: HostSpec['ports']): HostSpec => ({
  switches: { lan: { uplink1: 'up0' } },
  groups: GROUPS,
  ports,
});

/** The compiled pipeline on a real switch, with real packets: what the simulated walks claim must hold there. */
describe('the pipeline on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let b: RealHost;
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;
  const addVm = async (host: string, n: number) => {
    vms.set(n, await lab.addVm(host, { bridge: BRIDGE, ...numbered(n) }));
  };
  const MOVING = { n: 2, token: TOKEN };
  const ARRIVING = { n: 2, role: 'standby', epoch: 2, token: TOKEN } as const;
  const shapingOut = { average: 8_000, peak: 8_000, burst: 2_000 };
  const AT_A = [
    { n: 1 },
    { n: 3, override: { shapingOut } },
    { n: 5, group: 'db' },
    { n: 6, group: 'trunk' },
    { n: 7, override: { blocked: true } },
  ];

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'] });
    [a, b] = await Promise.all([realHost(lab, 'a'), realHost(lab, 'b')]);
    await Promise.all([a.become(host([])), b.become(host([]))]);
    for (const n of [1, 2, 3, 5, 6, 7]) await addVm('a', n);
    await addVm('b', 4);
    await a.become(host([...AT_A, MOVING]));
    await b.become(host([{ n: 4 }, ARRIVING]));
  });

  afterAll(async () => {
    await a?.driver.close();
    await b?.driver.close();
    await lab?.destroy();
  });

  it('forwards within the VLAN over the wire and counts exactly', async () => {
    expect(a.compiled.exceptions).toEqual([]);
    await vm(1).send({ to: vm(4), count: 300, pps: PPS });
    await until('all frames', async () =>
      (await vm(4).receivedFrom(vm(1))).unique === 300 ? true : undefined,
    );
    expect((await a.counts(1))[0]).toEqual([300, 0, 0]);
    expect((await b.counts(4))[1]).toEqual([300, 0, 0]);
    await vm(1).send({ to: vm(5), count: 10, pps: 1_000 });
    await vm(1).send({ to: vm(4), count: 10, pps: 1_000, srcMac: mac(9) });
    expect((await vm(5).received()).frames).toBe(0);
    expect((await vm(4).receivedFrom(vm(1))).unique).toBe(300);
    // The forged ones.
    expect(await a.dropped(1)).toEqual([10, 0]);
    await vm(7).send({ to: vm(4), count: 10, pps: 1_000 });
    expect(await a.dropped(7)).toEqual([10, 0]);
  });

  it('gives every port and the uplink each broadcast, though one port is shaped', async () => {
    const before = (await a.counts(3))[1];
    await vm(1).send({ to: 'broadcast', count: 200, pps: 1_000 });
    const all = async () => {
      const got = await Promise.all(
        [4, 6].map(async (n) => (await vm(n).receivedFrom(vm(1), 'broadcast')).unique),
      );
      return got.every((n) => n === 200) ? true : undefined;
    };
    await until('200 broadcasts', all);
    expect((await vm(6).receivedFrom(vm(1), 'broadcast')).vlans).toEqual([100]);
    expect((await vm(3).receivedFrom(vm(1), 'broadcast')).unique).toBeLessThan(100);
    expect(((await a.counts(3))[1][2] ?? 0) - (before[2] ?? 0)).toBeLessThan(100);
    expect((await a.counts(1))[1]).toEqual([0, 0, 0]);
    const passed = ((await a.counts(3))[1][2] ?? 0) - (before[2] ?? 0);
    expect(await a.dropped(3)).toEqual([0, 200 - passed]);
    expect(await a.dropped(7)).toEqual([10, 200]);
    expect((await vm(7).received()).frames).toBe(0);
  });

  it('switches a sending guest over by its first frame: nothing lost, nothing doubled, counts exact', async () => {
    const moved = await vm(2).plugAt('b');
    await b.become(host([{ n: 4 }, ARRIVING]));
    await vm(2).send({ to: vm(4), count: 500, pps: PPS });
    expect(await b.learned()).toBe(0);
    await vm(2).runOn(moved.inside, 1);
    await vm(2).send({ to: vm(4), count: 500, pps: PPS });
    await until('1000 frames', async () =>
      (await vm(4).receivedFrom(vm(2))).unique === 1000 ? true : undefined,
    );
    expect((await vm(4).receivedFrom(vm(2))).duplicates).toBe(0);
    expect([await a.learned(), await b.learned()]).toEqual([1, 1]);
    const [[atA], [atB]] = [await a.counts(2), await b.counts(2)];
    expect([atA?.[0], atB?.[0], atB?.[2]]).toEqual([500, 500, 1]);
    await until('both notices', async () =>
      a.notices.length > 0 && b.notices.length > 0 ? true : undefined,
    );
    expect(b.notices[0]).toMatchObject({ kind: 'activated', epoch: 2 });
    expect(a.notices[0]).toMatchObject({ kind: 'turned', epoch: 1 });
    await vm(1).send({ to: vm(2), count: 100, pps: 1_000 });
    await vm(4).send({ to: vm(2), count: 100, pps: 1_000 });
    await until('frames to the moved guest', async () => {
      const got = await Promise.all([1, 4].map(async (n) => (await vm(2).receivedFrom(vm(n))).unique));
      return got.every((n) => n === 100) ? true : undefined;
    });
    expect((await a.counts(2))[1][0]).toBe(0);
  });

  it('takes the learned rows over without losing a frame', async () => {
    const at = (epoch: number) => [{ port: 'p2' as never, epoch: epoch as never }];
    const sending = vm(2).send({ to: vm(4), count: 1_000, pps: PPS });
    await a.become(host([...AT_A, MOVING]), { handedOver: at(1) });
    await b.become(host([{ n: 4 }, ARRIVING]), { activations: at(2) });
    await sending;
    await until('2000 frames', async () =>
      (await vm(4).receivedFrom(vm(2))).unique === 2000 ? true : undefined,
    );
    expect([await a.learned(), await b.learned()]).toEqual([0, 0]);
  });

  it('takes the last frames of the former host, which come late, until the centre took note', async () => {
    const wire = await lab.addOutsider({ name: 'wire', mac: mac(9), ip: '10.0.0.9' });
    const late = { to: vm(4), count: 20, pps: 1_000, vlan: 100, srcMac: mac(2) };
    await wire.send(late);
    await until('the late frames', async () =>
      (await vm(4).receivedFrom(wire)).unique === 20 ? true : undefined,
    );
    const arrived = { n: 2, epoch: 2 };
    await b.become(host([{ n: 4 }, arrived]), { activations: [{ port: 'p2' as never, epoch: 2 as never }] });
    await wire.send(late);
    // One that is let through by its own MAC shows that those before it have been dealt with.
    await wire.send({ ...late, count: 1, srcMac: mac(9) });
    await until('a frame after them', async () =>
      (await vm(4).receivedFrom(wire)).last === 40 ? true : undefined,
    );
    expect((await vm(4).receivedFrom(wire)).unique).toBe(21);
  });
});
