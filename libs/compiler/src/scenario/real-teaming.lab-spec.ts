import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, switchDoc, type HostSpec } from '../documents.fixture.js';
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
  groups: [team('one', 'uplink1', 'uplink2'), team('two', 'uplink2', 'uplink1')],
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
  const flood = () => far.send({ to: 'broadcast', count: 200, pps: 500, vlan: 100, size: 100 });

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'], uplinks: 2 });
    a = await realHost(lab, 'a');
    await a.become(host([]));
    for (const n of [1, 2, 3]) {
      const options = { bridge: BRIDGE, name: `vm${n}`, mac: mac(n), ip: `10.0.0.${n}`, ifaceId: `if-${n}` };
      vms.push(await lab.addVm('a', options));
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
    await lab.host('a').setUplink('up1', 'down');
    await until('the link to be down', async () =>
      (await a.driver.interfaces()).find((i) => i.name === 'up1')?.linkUp === false ? true : undefined,
    );
    // OVSDB tells of the link before the datapath's cached decisions have followed it.
    await lab.appctl('a', 'revalidator/wait');
    await flood();
    expect((await reach(400)).map((s) => s.duplicates)).toEqual([0, 0]);
    await vm(3).send({ to: far, count: 50, pps: 500 });
    await until('50 frames', async () => ((await far.receivedFrom(vm(3))).unique === 50 ? true : undefined));
  });
});
