import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ip } from '../../../../test/lab/exec.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { mac, spread, switchDoc, type HostSpec } from '../documents.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const host = (ports: HostSpec['ports']): HostSpec => ({
  switches: { lan: { uplink1: 'la0', uplink2: 'la1' } },
  docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
  groups: [spread('ip-hash')],
  ports,
});

/** Two uplinks that the switch at their other end takes for one link: each frame comes by one of them, any. */
describe('teaming by IP hash on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let far: LabVm;
  const vms: LabVm[] = [];
  const vm = (n: number): LabVm => vms[n - 1] as LabVm;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'] });
    const [here, there] = [lab.host('a'), lab.host('b')];
    for (const i of [0, 1]) {
      const peer = ['type', 'veth', 'peer', 'name', `lb${i}`, 'netns', there.netns];
      await ip('-n', here.netns, 'link', 'add', `la${i}`, ...peer);
      await ip('-n', here.netns, 'link', 'set', `la${i}`, 'up');
      await ip('-n', there.netns, 'link', 'set', `lb${i}`, 'up');
    }
    await there.vsctl(
      'add-br',
      'bundle',
      '--',
      'set',
      'Bridge',
      'bundle',
      'datapath_type=netdev',
      'fail_mode=secure',
    );
    for (const i of [0, 1])
      await there.vsctl(
        'add-port',
        'bundle',
        `lb${i}`,
        '--',
        'set',
        'Interface',
        `lb${i}`,
        `ofport_request=${i + 1}`,
      );
    far = await lab.addVm('b', { bridge: 'bundle', name: 'far', mac: mac(9), ip: '10.0.0.9' });
    const number = (await there.vsctl('get', 'Interface', far.pluggedAt[0]?.outside ?? '', 'ofport')).trim();
    const buckets = [1, 2].map((port) => `bucket=watch_port:${port},actions=output:${port}`).join();
    const hash = 'selection_method=hash,fields(ip_src,ip_dst)';
    await there.ofctl('add-group', 'bundle', `group_id=1,type=select,${hash},${buckets}`);
    await there.ofctl('add-flow', 'bundle', `in_port=${number},actions=group:1`);
    for (const port of [1, 2])
      await there.ofctl('add-flow', 'bundle', `in_port=${port},actions=output:${number}`);
    a = await realHost(lab, 'a');
    await a.become(host([]));
    for (const n of [1, 2]) vms.push(await lab.addVm('a', { bridge: BRIDGE, ...numbered(n) }));
    await a.become(host([1, 2].map((n) => ({ n, group: 'ip-hash' }))));
  });

  afterAll(async () => {
    await a?.driver.close();
    await lab?.destroy();
  });

  /** Frames of each uplink so far, as the switch counted them. */
  const by = async (count: 'txPackets' | 'rxPackets'): Promise<number[]> => {
    const interfaces = await a.driver.interfaces();
    const stats = await a.driver.portStats(BRIDGE);
    return ['la0', 'la1'].map((name) => {
      const number = interfaces.find((i) => i.name === name)?.ofport;
      return Number(stats.find((s) => s.number === number)?.[count] ?? 0n);
    });
  };
  /** Five frames of each of twelve addresses. */
  const talk = async (from: LabVm, to: LabVm | 'broadcast', vlan?: number): Promise<void> => {
    for (let i = 0; i < 12; i += 1) {
      const tag = vlan === undefined ? {} : { vlan };
      await from.send({ to, count: 5, pps: 500, srcIp: `10.0.${i}.7`, ...tag });
    }
  };
  const arrived = (to: LabVm, from: LabVm, count: number, as?: 'broadcast') =>
    until(`${count} frames`, async () => {
      const seen = await to.receivedFrom(from, as);
      return seen.unique === count ? seen : undefined;
    });

  it('spreads connections over both, takes a broadcast by either, once, and goes on by one', async () => {
    await talk(vm(1), far);
    await arrived(far, vm(1), 60);
    expect((await by('txPackets')).every((count) => count >= 5)).toBe(true);
    await talk(far, 'broadcast', 100);
    for (const n of [1, 2]) expect((await arrived(vm(n), far, 60, 'broadcast')).duplicates).toBe(0);
    expect((await by('rxPackets')).every((count) => count >= 5)).toBe(true);
    await lab.host('a').setUplink('la0', 'down');
    await until('the link to be down', async () =>
      (await a.driver.interfaces()).find((i) => i.name === 'la0')?.linkUp === false ? true : undefined,
    );
    await lab.appctl('a', 'revalidator/wait');
    await talk(vm(1), far);
    await arrived(far, vm(1), 120);
  });
});
