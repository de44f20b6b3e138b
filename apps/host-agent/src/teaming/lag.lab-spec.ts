import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LabAgent } from '../../../../test/lab/agent.js';
import { ip } from '../../../../test/lab/exec.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { BRIDGE } from '../agent.fixture.js';
import { teamingView } from './teaming.fixture.js';

const PEER = 'peer';
const LAG = {
  name: 'lag1',
  uplinks: ['uplink1', 'uplink2'],
  mode: 'active',
  fast: true,
  hash: 'l3l4',
} as const;

/** Two cables to another Open vSwitch that speaks LACP, too, and outputs by flows as well. */
describe('a LAG, on a real switch', () => {
  let lab: Lab;
  let agent: LabAgent;
  let guest: LabVm;
  let far: LabVm;

  const view = (revision: number, ports: readonly number[], mode: 'active' | 'passive' = 'active') =>
    teamingView(
      revision,
      ports.map((n) => ({ n })),
      {
        teaming: { mode: 'port', active: ['lag1'] },
        vlan: { mode: 'access', id: 100 },
        devices: ['la0', 'la1'],
        features: { lags: [{ ...LAG, mode }] },
      },
    );
  const carriers = () =>
    agent.agent.compiled?.bindings[0]?.carried?.uplinks.map(({ device }) => device).join();
  const carriedBy = (devices: string) =>
    until(`the bundle to be ${devices}`, () => Promise.resolve(carriers() === devices ? true : undefined));
  /** Frames of each uplink so far, as the switch counted them. */
  const by = async (count: 'rx' | 'tx'): Promise<number[]> => {
    const dump = await lab.ofctl('a', 'dump-ports', BRIDGE);
    const numbers = await Promise.all(
      ['la0', 'la1'].map(async (device) =>
        (await lab.vsctl('a', 'get', 'Interface', device, 'ofport')).trim(),
      ),
    );
    return ['la0', 'la1'].map((device, i) => {
      const line = new RegExp(`port +"?(?:${device}|${numbers[i]})"?: [^]*?${count} pkts=(\\d+)`).exec(dump);
      return Number(line?.[1]);
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

  const outside = (vm: LabVm): string => vm.pluggedAt[0]?.outside ?? '';
  const number = async (device: string) =>
    (await lab.vsctl('b', 'get', 'Interface', device, 'ofport')).trim();

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'] });
    const [here, there] = [lab.host('a'), lab.host('b')];
    for (const i of [0, 1]) {
      const peer = ['type', 'veth', 'peer', 'name', `lb${i}`, 'netns', there.netns];
      await ip('-n', here.netns, 'link', 'add', `la${i}`, ...peer);
      await ip('-n', here.netns, 'link', 'set', `la${i}`, 'up');
      await ip('-n', there.netns, 'link', 'set', `lb${i}`, 'up');
    }
    const made = ['datapath_type=netdev', 'fail_mode=secure'];
    await there.vsctl('add-br', PEER, '--', 'set', 'Bridge', PEER, ...made);
    const spoken = ['lacp=active', 'other_config:lacp-time=fast', 'bond_mode=balance-tcp'];
    await there.vsctl('add-bond', PEER, 'bond0', 'lb0', 'lb1', ...spoken);
    far = await lab.addVm('b', { bridge: PEER, ...numbered(9) });
    const [one, two, vnic] = await Promise.all(['lb0', 'lb1', outside(far)].map(number));
    const buckets = [one, two].map((port) => `bucket=watch_port:${port},actions=output:${port}`).join();
    const hash = 'selection_method=hash,fields(ip_src,ip_dst)';
    await there.ofctl('add-group', PEER, `group_id=1,type=select,${hash},${buckets}`);
    await there.ofctl('add-flow', PEER, `in_port=${vnic},actions=group:1`);
    for (const port of [one, two])
      await there.ofctl('add-flow', PEER, `in_port=${port},actions=output:${vnic}`);

    agent = new LabAgent(here);
    await agent.start();
    await agent.become(view(1, []));
    guest = await lab.addVm('a', { bridge: BRIDGE, ...numbered(1) });
    await agent.become(view(2, [1]));
    await carriedBy('la0,la1');
  });

  afterAll(async () => {
    await agent?.stop();
    await lab?.destroy();
  });

  it('is agreed upon, carries by all its uplinks, and takes each broadcast once', async () => {
    expect(agent.report?.exceptions).toEqual([]);
    const states = async () => (await lab.appctl('a', 'lacp/show')).match(/current attached/g)?.length;
    await until('both to be attached', async () => ((await states()) === 2 ? true : undefined));
    await talk(guest, far);
    await arrived(far, guest, 60);
    expect((await by('tx')).every((count) => count >= 5)).toBe(true);
    await talk(far, 'broadcast', 100);
    expect((await arrived(guest, far, 60, 'broadcast')).duplicates).toBe(0);
    expect((await by('rx')).every((count) => count >= 5)).toBe(true);
  });

  it('goes on by the others where the partner of one is gone, though its link is up', async () => {
    await lab.vsctl('b', 'del-bond-iface', 'bond0', 'lb1');
    await carriedBy('la0');
    expect((await agent.driver.interfaces()).find(({ name }) => name === 'la1')?.linkUp).toBe(true);
    const before = await by('tx');
    await talk(guest, far);
    await arrived(far, guest, 120);
    expect((await by('tx'))[0]).toBeGreaterThanOrEqual((before[0] ?? 0) + 60);
    const { uplinks } = await agent.agent.telemetry();
    expect(uplinks.map(({ up }) => up)).toEqual([true, false]);
  });

  it('takes nothing by a link that the other end does not have in the bundle', async () => {
    await lab.vsctl('b', 'add-port', PEER, 'lb1');
    const [left, vnic] = await Promise.all(['lb1', outside(far)].map(number));
    const both = ['group:1', `output:${left}`].join();
    await lab.ofctl('b', 'add-flow', PEER, `in_port=${vnic},actions=${both}`);
    const seen = async () => (await guest.receivedFrom(far)).unique;
    const before = await seen();
    await talk(far, guest, 100);
    const { unique, duplicates } = await arrived(guest, far, before + 60);
    expect({ unique, duplicates }).toEqual({ unique: before + 60, duplicates: 0 });
    expect((await by('rx'))[1]).toBeGreaterThanOrEqual(60);
  });

  it('speaks as it is to again when somebody else told the switch otherwise', async () => {
    const [port = ''] = (await agent.driver.interfaces()).flatMap((i) => (i.name === 'la0' ? i.port : []));
    const columns = ['lacp', 'bond_mode', 'other_config'].map((column) => ['Port', port, column]);
    columns.push(['Interface', 'la1', 'other_config']);
    const spoken = async () => {
      const values = await Promise.all(columns.map((column) => lab.vsctl('a', 'get', ...column)));
      return values.map((value) => value.trim()).join(' ');
    };
    const before = await spoken();
    const otherwise = ['lacp=off', 'bond_mode=balance-slb', 'other_config:lacp-time=slow'];
    const more = ['other_config:lacp-system-priority=7', 'other_config:bond-detect-mode=miimon'];
    await lab.vsctl('a', 'set', 'Port', port, ...otherwise, ...more);
    await until('it to be as before', async () => ((await spoken()) === before ? true : undefined));
    await lab.vsctl('a', 'set', 'Interface', 'la1', 'other_config:lacp-aggregation-key=7');
    await until('its member to be as before', async () => ((await spoken()) === before ? true : undefined));
    await carriedBy('la0');
    await lab.vsctl('a', 'del-bond-iface', port, 'la1');
    await until('its member to be back', async () => {
      const members = await lab.vsctl('a', '--columns=interfaces', 'list', 'Port', port);
      return members.includes(',') ? true : undefined;
    });
    await carriedBy('la0');
    const keys = ['lacp-time', 'lacp-system-priority', 'bond-detect-mode'].map(
      (key) => `other_config:${key}`,
    );
    const device = 'interface other_config:lacp-aggregation-key';
    const changed = ['lacp', 'bond_mode', ...keys, device, 'interfaces'];
    const fields = changed.map((field) => `port ${port} ${field}`);
    await until('the drift to be told', async () => fields.every((field) => agent.drifted.includes(field)));
  });

  it('speaks otherwise with its partner when it is to, and goes on', async () => {
    await agent.become(view(3, [1], 'passive'));
    const [port] = (await agent.driver.interfaces()).flatMap(({ name, port }) =>
      name === 'la0' ? port : [],
    );
    expect((await lab.vsctl('a', 'get', 'Port', port ?? '', 'lacp')).trim()).toBe('passive');
    await carriedBy('la0');
    await talk(guest, far);
    await arrived(far, guest, 180);
  });
});
