import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diff, observe, order, type BridgeState, type DriverEvent, type Flow, type Step } from '#openflow';
import { OvsDriver } from '#ovs';
import { udp } from '../../libs/simulated-switch/src/conntrack/conformance.fixture.js';
import { Lab, until } from './net.js';

const BRIDGE = 'ptl0';
const ZONE = 0x8007;

/** What of a real switch the driver watches and writes beside flows: others' changes, rows, connections, counts. */
describe('OvsDriver, beside flows', () => {
  let lab: Lab;
  let driver: OvsDriver;

  const state = (over: Partial<BridgeState> = {}): BridgeState => ({
    name: BRIDGE,
    switch: 'prod',
    ports: [],
    flows: [],
    groups: [],
    meters: [],
    mtu: 1_500,
    ...over,
  });
  const apply = async (...steps: Step[]) => {
    for (const step of steps) await driver.apply(step);
  };
  const settleAt = async (want: BridgeState) => {
    await apply(...order(diff({ bridges: [want] }, await driver.read())));
  };
  const left = async (want: BridgeState) => order(diff({ bridges: [want] }, await driver.read()));

  function next<K extends DriverEvent['kind']>(
    kind: K,
    wanted: (event: Extract<DriverEvent, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<DriverEvent, { kind: K }>> {
    return new Promise((resolve) => {
      const stop = driver.watch((event) => {
        if (event.kind !== kind || !wanted(event as Extract<DriverEvent, { kind: K }>)) return;
        stop();
        resolve(event as Extract<DriverEvent, { kind: K }>);
      });
    });
  }

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    driver = new OvsDriver({ rundir: lab.host('a').rundir, datapathType: 'netdev' });
    await driver.start();
    await settleAt(state());
  });

  afterAll(async () => {
    await driver?.close();
    await lab?.destroy();
  });

  it("hears of others' groups and meters at once, and not of its own", async () => {
    const told: DriverEvent[] = [];
    const stop = driver.watch((e) => (e.kind === 'groups' || e.kind === 'meters') && told.push(e));
    const meter = { id: 5, unit: 'pktps', rate: 10 } as const;
    const group = { id: 6, type: 'all', buckets: [] } as const;
    await apply(
      { kind: 'meters', bridge: BRIDGE, mods: [{ op: 'add', meter }] },
      { kind: 'bundle', bridge: BRIDGE, mods: [{ op: 'add-group', group }] },
    );
    const changed = next('meters');
    await lab.ofctl('a', 'mod-meter', BRIDGE, 'meter=5,pktps,bands=type=drop,rate=11');
    expect(await changed).toEqual({
      kind: 'meters',
      bridge: BRIDGE,
      mods: [{ kind: 'meter-mod', command: 'modify', meter: { ...meter, rate: 11 } }],
    });
    const gone = next('groups');
    await lab.ofctl('a', 'del-groups', BRIDGE, 'group_id=6');
    expect(await gone).toEqual({
      kind: 'groups',
      bridge: BRIDGE,
      mods: [{ kind: 'group-mod', command: 'delete', id: 6 }],
    });
    await apply({ kind: 'meters', bridge: BRIDGE, mods: [{ op: 'delete', id: 5 }] });
    stop();
    expect(told).toHaveLength(2);
  });

  it('counts what its devices do, and forgets the connections of a zone', async () => {
    const vm = await lab.addVm('a', { bridge: BRIDGE, name: 'x', mac: '02:00:00:00:00:01', ip: '10.0.0.1' });
    const number = await until('the port', async () => {
      const device = vm.pluggedAt[0]?.outside;
      return (await driver.interfaces()).find(({ name }) => name === device)?.ofport;
    });
    const flow: Flow = {
      table: 0,
      priority: 1,
      match: { eth_type: { value: 0x0800n } },
      actions: [{ kind: 'ct', zone: ZONE, commit: true }],
      cookie: 1n,
    };
    await apply({ kind: 'bundle', bridge: BRIDGE, mods: [{ op: 'add-flow', flow }] });
    const connections = async () => {
      const lines = (await lab.appctl('a', 'dpctl/dump-conntrack')).split('\n');
      return lines.filter((line) => line.includes(`zone=${ZONE}`));
    };
    await vm.sendRaw(Buffer.from(udp(0x0a000001, 0x0a000002, 7, 9)));
    const [one] = await until('a connection', async () => {
      const found = await connections();
      return found.length > 0 ? found : undefined;
    });
    expect(one).toContain('src=10.0.0.1,dst=10.0.0.2,sport=7,dport=9');
    const ports = await driver.portStats(BRIDGE);
    expect(ports.find((p) => p.number === number)?.rxPackets).toBeGreaterThan(0n);
    await apply({ kind: 'flush', bridge: BRIDGE, connections: [{ zone: ZONE + 1 }] });
    expect(await connections()).toHaveLength(1);
    await apply({ kind: 'flush', bridge: BRIDGE, connections: [{ zone: ZONE }] });
    expect(await connections()).toEqual([]);
    await apply({ kind: 'bundle', bridge: BRIDGE, mods: [{ op: 'delete-flow', flow }] });
  });

  it('tells the switch whom to tell of samples, and reads it back', async () => {
    const want = state({
      exports: {
        ipfix: { targets: ['127.0.0.1:4739'], sampling: 10, domain: 3, activeTimeout: 60 },
        sflow: { targets: ['127.0.0.1:6343'], sampling: 64, polling: 30, header: 128, agent: 'lo' },
        collectorSets: [
          { id: 1, ipfix: { targets: ['127.0.0.1:4740'] } },
          { id: 2, ipfix: { targets: ['127.0.0.1:4741', '127.0.0.1:4742'], activeTimeout: 60 } },
        ],
      },
    });
    await settleAt(want);
    expect((await driver.read()).bridges[0]?.exports).toEqual(want.exports);
    expect(await left(want)).toEqual([]);
    expect(await lab.vsctl('a', 'get', 'Bridge', BRIDGE, 'ipfix', 'sflow')).not.toContain('[]');
    expect(await lab.vsctl('a', '--bare', '--columns=id', 'list', 'Flow_Sample_Collector_Set')).toMatch(
      /^[12]\n+[12]\n$/,
    );
    const drift = next('ovsdb', ({ columns }) => columns.has('Bridge.ipfix'));
    await lab.vsctl('a', 'clear', 'Bridge', BRIDGE, 'ipfix');
    await drift;
    expect(await left(want)).toMatchObject([{ changes: [{ op: 'set-exports' }] }]);
    await settleAt(want);
    expect(await left(want)).toEqual([]);
    await settleAt(state());
    expect(await left(state())).toEqual([]);
    expect(await lab.vsctl('a', '--bare', '--columns=_uuid', 'list', 'IPFIX')).toBe('');
  });

  it('hears of what others set in the rows', async () => {
    const port = { name: 'up0', plugged: 'agent', type: '', marks: {} } as const;
    const want = state({ ports: [port] });
    await settleAt(want);
    const tagged = next('ovsdb', ({ columns }) => columns.has('Port.tag'));
    await lab.vsctl('a', 'set', 'Port', 'up0', 'tag=7', 'vlan_mode=access');
    await tagged;
    const policed = next('ovsdb', ({ columns }) => columns.has('Interface.ingress_policing_rate'));
    await lab.vsctl('a', 'set', 'Interface', 'up0', 'ingress_policing_rate=1000');
    await policed;
    const up0 = (await driver.interfaces()).find(({ name }) => name === 'up0');
    expect(up0?.settings).toEqual({ tag: 7, vlanMode: 'access', ingressPolicingRate: 1000 });
    const taken = next('ovsdb', ({ columns }) => columns.has('Controller.target'));
    await lab.vsctl('a', 'set-controller', BRIDGE, 'tcp:127.0.0.1:6653');
    await taken;
    const snooping = next('ovsdb', ({ columns }) => columns.has('Bridge.mcast_snooping_enable'));
    await lab.vsctl('a', 'set', 'Bridge', BRIDGE, 'mcast_snooping_enable=true');
    await snooping;
    expect((await driver.read()).bridges[0]?.settings).toMatchObject({
      controllers: ['tcp:127.0.0.1:6653'],
      mcastSnooping: true,
      otherConfig: { 'disable-in-band': 'true' },
    });
    await settleAt(state());
  });

  it('makes bonds, and takes a device out of one', async () => {
    for (const i of [1, 2])
      await lab.host('a').exec('ip', 'link', 'add', `la${i}`, 'type', 'veth', 'peer', 'name', `lb${i}`);
    const lag = {
      name: 'lag1',
      plugged: 'agent',
      type: '',
      marks: { 'portolan-uplink': 'lag1' },
      bond: { members: ['la1', 'la2'], lacp: 'active', fast: true },
    } as const;
    const want = state({ ports: [lag] });
    await settleAt(want);
    const members = (await driver.interfaces()).filter(({ port }) => port === 'lag1');
    expect(members.map(({ name }) => name).sort()).toEqual(['la1', 'la2']);
    expect(members.every(({ ofport }) => ofport !== undefined)).toBe(true);
    expect(await lab.appctl('a', 'lacp/show', 'lag1')).toMatch(/lacp_time: fast/);
    expect(await left(want)).toEqual([]);
    const apart = state({ ports: [{ name: 'la1', plugged: 'agent', type: '', marks: {} }] });
    await settleAt(apart);
    expect(await left(apart)).toEqual([]);
    expect(observe({ bridges: [apart] }).interfaces).toHaveLength(1);
  });

  it('removes a bridge with all that names it', async () => {
    const exports = { collectorSets: [{ id: 1, ipfix: { targets: ['127.0.0.1:4740'] } }] };
    await settleAt(state({ exports }));
    await apply(...order(diff({ bridges: [] }, await driver.read())));
    expect(await lab.vsctl('a', '--bare', '--columns=name', 'list', 'Bridge')).toBe('');
  });
});
