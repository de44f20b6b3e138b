import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, spread, switchDoc, type HostSpec } from '../documents.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const team = (name: string, active: string, standby: string) =>
  groupDoc(name, {
    vlan: { mode: 'access', id: 100 },
    teaming: { active: [active], standby: [standby] },
  } as never);
const shapingOut = { average: 8_000, peak: 8_000, burst: 2_000 };
const host = (ports: HostSpec['ports']): HostSpec => ({
  switches: { lan: { uplink1: 'up0', uplink2: 'up1' } },
  docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
  groups: [
    team('one', 'uplink1', 'uplink2'),
    team('two', 'uplink2', 'uplink1'),
    spread('port'),
    spread('mac'),
  ],
  ports,
});

/** Two uplinks into one physical segment: each brings every broadcast. */
describe('teaming on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let far: LabVm;
  const vms: LabVm[] = [];
  const vm = (n: number): LabVm => vms[n - 1] as LabVm;
  const broadcasts = (n: number) => vm(n).receivedFrom(far, 'broadcast');
  const reach = (count: number) =>
    until(`${count} broadcasts`, async () => {
      const got = await Promise.all([2, 3].map(broadcasts));
      return got.every((s) => s.unique === count) ? got : undefined;
    });
  const link = async (device: string, state: 'up' | 'down') => {
    await lab.host('a').setUplink(device, state);
    await until(`${device} to be ${state}`, async () =>
      (await a.driver.interfaces()).find((i) => i.name === device)?.linkUp === (state === 'up')
        ? true
        : undefined,
    );
    // OVSDB tells of the link before the datapath's cached decisions have followed it.
    await lab.appctl('a', 'revalidator/wait');
  };
  /** Frames that the switch sent by each uplink. */
  const sent = async (): Promise<number[]> => {
    await lab.host('a').drained(...vms.flatMap((v) => v.pluggedAt.map((plug) => plug.outside)));
    const interfaces = await a.driver.interfaces();
    const stats = await a.driver.portStats(BRIDGE);
    return ['up0', 'up1'].map((name) => {
      const number = interfaces.find((i) => i.name === name)?.ofport;
      return Number(stats.find((s) => s.number === number)?.txPackets ?? 0n);
    });
  };
  const flood = () => far.send({ to: 'broadcast', count: 200, pps: 500, vlan: 100, size: 100 });

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'], uplinks: 2 });
    a = await realHost(lab, 'a');
    await a.become(host([]));
    for (const n of [1, 2, 3]) {
      vms.push(await lab.addVm('a', { bridge: BRIDGE, ...numbered(n) }));
    }
    await a.become(
      host([
        { n: 1, group: 'one', override: { shapingOut } },
        { n: 2, group: 'one' },
        { n: 3, group: 'two' },
      ]),
    );
    far = await lab.addOutsider({ name: 'far', mac: mac(9), ip: '10.0.0.9' });
  });

  afterAll(async () => {
    await a?.driver.close();
    await lab?.destroy();
  });

  it('delivers each broadcast once, beside a shaped port, and counts octets without the tag', async () => {
    await flood();
    expect((await reach(200)).map((s) => s.duplicates)).toEqual([0, 0]);
    expect((await broadcasts(1)).unique).toBeLessThan(100);
    for (const n of [2, 3]) {
      expect((await a.counts(n))[1][2]).toBe(200);
      expect((await a.counts(n, 'bytesIn'))[1][2]).toBe(200 * 96);
    }
  });

  it('moves a port to its other uplink when its own fails, both ways', async () => {
    await link('up1', 'down');
    await flood();
    expect((await reach(400)).map((s) => s.duplicates)).toEqual([0, 0]);
    await vm(3).send({ to: far, count: 50, pps: 500 });
    await until('50 frames', async () => ((await far.receivedFrom(vm(3))).unique === 50 ? true : undefined));
  });

  it.each(['port', 'mac'] as const)(
    'by %s spreads ports over both uplinks, with each broadcast once',
    async (group) => {
      await link('up1', 'up');
      await a.become(host([1, 2, 3].map((n) => ({ n, group }))));
      const by = [];
      for (const n of [1, 2, 3]) {
        const before = await sent();
        await vm(n).send({ to: far, count: 40, pps: 500 });
        by.push((await sent()).map((count, i) => count - (before[i] ?? 0)));
      }
      expect(by.map((counts) => Math.max(...counts))).toEqual([40, 40, 40]);
      expect(by[0]).not.toEqual(by[1]);
      const before = await Promise.all([1, 2, 3].map(broadcasts));
      await flood();
      const after = await until('200 broadcasts each', async () => {
        const got = await Promise.all([1, 2, 3].map(broadcasts));
        return got.every((s, i) => s.unique === (before[i]?.unique ?? 0) + 200) ? got : undefined;
      });
      expect(after.map((s) => s.duplicates)).toEqual([0, 0, 0]);
    },
  );
});
