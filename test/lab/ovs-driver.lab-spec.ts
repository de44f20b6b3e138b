import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { type DriverEvent, type Flow, type Step } from '#openflow';
import { OvsDriver } from '#ovs';
import { Lab, until, type LabVm } from './net.js';

const BRIDGE = 'ptl0';
const COOKIE = 0xabc0n;

/** The driver against a real switch; what it claims is checked with `ovs-ofctl`, `ovs-vsctl` and packets. */
describe('OvsDriver', () => {
  let lab: Lab;
  let driver: OvsDriver;
  const events: DriverEvent[] = [];

  const flow = (priority: number, actions: Flow['actions'], match: Flow['match'] = {}): Flow => ({
    table: 0,
    priority,
    match,
    actions,
    cookie: COOKIE,
  });
  const bundle = (...mods: Extract<Step, { kind: 'bundle' }>['mods']) =>
    driver.apply({ kind: 'bundle', bridge: BRIDGE, mods });
  const meters = (...mods: Extract<Step, { kind: 'meters' }>['mods']) =>
    driver.apply({ kind: 'meters', bridge: BRIDGE, mods });
  const ovsdb = (...changes: Extract<Step, { kind: 'ovsdb' }>['changes']) =>
    driver.apply({ kind: 'ovsdb', changes });
  const dumpFlows = () => lab.ofctl('a', '--no-stats', 'dump-flows', BRIDGE);
  const uplink = async () => (await driver.interfaces()).find(({ name }) => name === 'up0');
  /** The switch has the port when it was plugged; the driver may hear of it a moment later. */
  const numberOf = (vm: LabVm) =>
    until(`the number of ${vm.name}'s port`, async () => {
      const device = vm.pluggedAt[0]?.outside;
      return (await driver.interfaces()).find(({ name }) => name === device)?.ofport;
    });
  const clear = () => lab.ofctl('a', 'del-flows', BRIDGE);

  /** The first event of this kind from now on. */
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
    driver.watch((event) => events.push(event));
    await driver.start();
    const change = { bridge: BRIDGE, switch: 'prod', mtu: 1_400 };
    await ovsdb({ op: 'add-bridge', ...change });
  });

  afterAll(async () => {
    await driver?.close();
    await lab?.destroy();
  });

  it('makes a bridge that is closed from birth', async () => {
    expect(await lab.vsctl('a', 'get', 'Bridge', BRIDGE, 'fail_mode', 'external_ids:portolan-switch')).toBe(
      'secure\nprod\n',
    );
    expect(await dumpFlows()).toBe('');
    expect(await lab.host('a').exec('cat', `/sys/class/net/${BRIDGE}/mtu`)).toBe('1400\n');
    const again = ovsdb({ op: 'add-bridge', bridge: BRIDGE, switch: 'prod', mtu: 1_400 });
    await expect(again).rejects.toMatchObject({ problem: { code: 'conflict' } });
  });

  it('plugs an uplink, marks ports, leaves what is not its own', async () => {
    const port = {
      name: 'up0',
      plugged: 'agent',
      type: '',
      marks: { 'portolan-uplink': 'uplink1' },
    } as const;
    await ovsdb({ op: 'add-port', bridge: BRIDGE, port });
    // Its number is there when the step ends; what the device itself tells may come a moment later.
    expect((await uplink())?.ofport).toBeGreaterThan(0);
    await until('the MTU', async () => ((await uplink())?.mtu === 1_400 ? true : undefined));
    const marks = { 'portolan-uplink': 'uplink1' };
    expect(await uplink()).toMatchObject({ bridge: BRIDGE, linkUp: true, marks });
    await lab.vsctl('a', 'set', 'Port', 'up0', 'external_ids:theirs=1');
    await ovsdb({ op: 'mark-port', bridge: BRIDGE, port: 'up0', marks: { 'portolan-x': 'a b' } });
    expect(await lab.vsctl('a', 'get', 'Port', 'up0', 'external_ids')).toBe(
      '{portolan-x="a b", theirs="1"}\n',
    );
    await ovsdb({ op: 'mark-port', bridge: BRIDGE, port: 'up0', marks: {} });
    expect(await lab.vsctl('a', 'get', 'Port', 'up0', 'external_ids')).toBe('{theirs="1"}\n');
    await ovsdb({ op: 'set-bridge', bridge: BRIDGE, switch: 'test', mtu: 1_450 });
    expect((await driver.read()).bridges[0]).toMatchObject({
      mtu: 1_450,
      externalIds: { 'portolan-switch': 'test' },
    });
    await until('the MTU', async () => ((await uplink())?.mtu === 1_450 ? true : undefined));
    await lab.vsctl('a', 'add-br', 'other', '--', 'set', 'Bridge', 'other', 'datapath_type=netdev');
    await expect(ovsdb({ op: 'remove-bridge', bridge: 'other' })).rejects.toMatchObject({
      problem: { code: 'conflict' },
    });
    await lab.vsctl('a', 'del-br', 'other');
    expect((await driver.read()).bridges.map(({ name }) => name)).toEqual([BRIDGE]);
  });

  it('installs flows, groups and meters, and reads them back', async () => {
    const meter = { id: 7, unit: 'pktps', rate: 1_000, burst: 100 } as const;
    const group = { id: 3, type: 'all', buckets: [{ actions: [{ kind: 'output', port: 1 }] }] } as const;
    await meters({ op: 'add', meter });
    const one = flow(
      10,
      [
        { kind: 'meter', meter: 7 },
        { kind: 'group', group: 3 },
      ],
      { in_port: { value: 2n } },
    );
    await bundle({ op: 'add-group', group }, { op: 'add-flow', flow: one });
    expect(await dumpFlows()).toMatch(/cookie=0xabc0.*priority=10,in_port=2.*actions=meter:7,group:3/);
    const [bridge] = (await driver.read()).bridges;
    expect(bridge?.flows.map((stats) => stats.flow)).toEqual([one]);
    expect(bridge?.groups).toEqual([group]);
    expect(bridge?.meters).toEqual([{ ...meter, durationMs: expect.any(Number) }]);
    expect(bridge?.ports.map(({ name }) => name)).toContain('up0');
    expect(await driver.meterStats(BRIDGE, [7, 99])).toHaveLength(1);
    expect(await driver.meterStats(BRIDGE, [1, 2, 3, 4, 5, 6, 7])).toHaveLength(1);
    expect(await driver.flowStats(BRIDGE, COOKIE, 0xffffn)).toHaveLength(1);
    expect(await driver.flowStats(BRIDGE, 0x1n, 0xffffn)).toHaveLength(0);
    await bundle({ op: 'delete-flow', flow: one }, { op: 'delete-group', id: 3 });
    await meters({ op: 'delete', id: 7 });
    expect(await dumpFlows()).toBe('');
  });

  it('leaves nothing of a bundle or a meter step that the switch refuses', async () => {
    const good = flow(1, []);
    const bad = flow(2, [{ kind: 'group', group: 4_000 }]);
    await expect(bundle({ op: 'add-flow', flow: good }, { op: 'add-flow', flow: bad })).rejects.toMatchObject(
      {
        problem: { code: 'refused' },
      },
    );
    const impossible = flow(3, [{ kind: 'clone', actions: [{ kind: 'meter', meter: 1 }] }]);
    await expect(
      bundle({ op: 'add-flow', flow: good }, { op: 'add-flow', flow: impossible }),
    ).rejects.toMatchObject({
      problem: { code: 'refused', details: [{ field: 'mods[1]' }, { field: 'commit' }] },
    });
    expect(await dumpFlows()).toBe('');
    const meter = { id: 1, unit: 'kbps', rate: 100 } as const;
    await expect(
      meters({ op: 'add', meter }, { op: 'modify', meter: { ...meter, id: 2 } }),
    ).rejects.toMatchObject({
      problem: { code: 'refused', details: [{ field: 'mods[1]' }] },
    });
    expect((await driver.read()).bridges[0]?.meters).toEqual([]);
  });

  it('tells of flows that others change, and of none that it changes itself', async () => {
    const mine = flow(5, [], { eth_type: { value: 0x806n } });
    const told: DriverEvent[] = [];
    const stop = driver.watch((event) => event.kind === 'flows' && told.push(event));
    await bundle({ op: 'add-flow', flow: mine });
    await driver.apply({ kind: 'effective', bridge: BRIDGE });
    const removed = next('flows');
    await lab.ofctl('a', '--strict', 'del-flows', BRIDGE, 'priority=5,arp');
    expect(await removed).toEqual({
      kind: 'flows',
      bridge: BRIDGE,
      changes: [{ change: 'removed', flow: mine }],
    });
    const added = next('flows');
    await lab.ofctl('a', 'add-flow', BRIDGE, 'priority=9,udp,actions=NORMAL');
    expect((await added).changes).toMatchObject([
      { change: 'added', flow: { priority: 9, actions: [{ kind: 'output', port: 'normal' }] } },
    ]);
    stop();
    expect(told).toHaveLength(2);
    await clear();
  });

  it('gets frames that a flow sends, with registers and userdata, and sends frames', async () => {
    const vm = await lab.addVm('a', { bridge: BRIDGE, name: 'x', mac: '02:00:00:00:00:0a', ip: '10.0.0.10' });
    const ofport = await numberOf(vm);
    const userdata = Uint8Array.of(1, 2, 3);
    const actions: Flow['actions'] = [
      { kind: 'set-field', field: 'reg3', value: 77n },
      { kind: 'controller', maxLen: 0xffff, userdata },
    ];
    await bundle({ op: 'add-flow', flow: flow(1, actions, { in_port: { value: BigInt(ofport) } }) });
    const came = next('packet-in');
    const frame = Buffer.from(`ffffffffffff02000000000a88b5${'55'.repeat(46)}`, 'hex');
    await vm.sendRaw(frame);
    const packet = await came;
    expect(packet).toMatchObject({ bridge: BRIDGE, table: 0, cookie: COOKIE });
    expect(packet.metadata).toMatchObject({ in_port: { value: BigInt(ofport) }, reg3: { value: 77n } });
    expect([Buffer.from(packet.userdata), Buffer.from(packet.frame)]).toEqual([Buffer.from(userdata), frame]);
    await driver.packetOut(BRIDGE, ofport, frame);
    const got = await until('the frame', async () => (await vm.received()).recent[0]);
    expect(got.hex).toBe(frame.toString('hex'));
    await clear();
  });

  it('tells of flows that the switch learned by itself', async () => {
    const mac = '02:00:00:00:00:0d';
    const vm = await lab.addVm('a', { bridge: BRIDGE, name: 'y', mac, ip: '10.0.0.13' });
    const ofport = await numberOf(vm);
    const learn: Flow['actions'][number] = {
      kind: 'learn',
      table: 20,
      priority: 3,
      cookie: 0x77n,
      idleTimeout: 0,
      hardTimeout: 0,
      specs: [
        {
          kind: 'match-field',
          dst: { field: 'eth_src', offset: 0, bits: 48 },
          src: { field: 'eth_src', offset: 0, bits: 48 },
        },
      ],
    };
    await bundle({ op: 'add-flow', flow: flow(1, [learn], { in_port: { value: BigInt(ofport) } }) });
    const learned = next('flows');
    await vm.sendRaw(Buffer.from(`ffffffffffff${mac.replaceAll(':', '')}88b5${'55'.repeat(46)}`, 'hex'));
    expect((await learned).changes).toEqual([
      {
        change: 'added',
        flow: {
          table: 20,
          priority: 3,
          match: { eth_src: { value: 0x02000000000dn } },
          actions: [],
          cookie: 0x77n,
        },
      },
    ]);
    await clear();
  });

  it('takes its sockets one by one', async () => {
    const { rundir } = lab.host('a');
    const pid = (await readFile(`${rundir}/ovs-vswitchd.pid`, 'utf8')).trim();
    const single = new OvsDriver({
      ovsdb: `unix:${rundir}/db.sock`,
      mgmt: `unix:${rundir}/{bridge}.mgmt`,
      unixctl: `unix:${rundir}/ovs-vswitchd.${pid}.ctl`,
    });
    await single.start();
    expect((await single.read()).bridges.map(({ name }) => name)).toEqual([BRIDGE]);
    expect(await single.version()).toMatch(/^[0-9]+\.[0-9]+\.[0-9]+$/);
    await single.close();
  });

  describe('effective', () => {
    let from: LabVm;
    let to: LabVm;
    let ports: [number, number];

    beforeAll(async () => {
      from = await lab.addVm('a', {
        bridge: BRIDGE,
        name: 'from',
        mac: '02:00:00:00:00:0b',
        ip: '10.0.0.11',
      });
      to = await lab.addVm('a', { bridge: BRIDGE, name: 'to', mac: '02:00:00:00:00:0c', ip: '10.0.0.12' });
      ports = [await numberOf(from), await numberOf(to)];
    });

    /** Frames that the switch handed to the receiver: exact at once. */
    async function delivered(): Promise<number> {
      const text = await lab.ofctl('a', 'dump-ports', BRIDGE, String(ports[1]));
      return Number(/tx pkts=([0-9]+)/.exec(text)?.[1]);
    }

    it.each(['wait', 'purge', undefined] as const)(
      'means that no later frame passes by old flows: %s',
      async (how) => {
        const second = new OvsDriver({
          rundir: lab.host('a').rundir,
          datapathType: 'netdev',
          ...(how === undefined ? {} : { effective: how }),
        });
        await second.start();
        const pass = flow(1, [{ kind: 'output', port: ports[1] }], { in_port: { value: BigInt(ports[0]) } });
        for (let round = 0; round < 3; round++) {
          await bundle({ op: 'add-flow', flow: pass });
          const sending = from.send({ to, pps: 8_000 });
          const before = await delivered();
          await until('traffic', async () => ((await delivered()) > before + 500 ? true : undefined));
          await bundle({ op: 'delete-flow', flow: pass });
          await second.apply({ kind: 'effective', bridge: BRIDGE });
          const returnedAt = Date.now() + 1;
          const atReturn = await delivered();
          const sent = (await from.received()).sent;
          await until('more frames sent', async () =>
            (await from.received()).sent > sent + 2_000 ? true : undefined,
          );
          expect(await delivered()).toBe(atReturn);
          // The reading above is a process start later than the return.
          const { last } = await to.receivedFrom(from);
          expect(await from.sentAt(to, last)).toBeLessThan(returnedAt);
          await from.stopSending();
          await sending;
        }
        await second.close();
        expect(await dumpFlows()).toBe('');
      },
    );

    it('purges', async () => {
      await driver.apply({ kind: 'purge', bridge: BRIDGE });
    });
  });

  it('tells of a killed switch and comes back with it', async () => {
    const down = next('down', ({ bridge }) => bridge === BRIDGE);
    await lab.host('a').killVswitchd();
    expect((await down).reason).not.toBe('');
    await expect(bundle({ op: 'add-flow', flow: flow(1, []) })).rejects.toMatchObject({
      problem: { code: 'unavailable', retry: true },
    });
    const up = next('up', ({ bridge }) => bridge === BRIDGE);

    await lab.host('a').startVswitchd();

    await up;

    await bundle({ op: 'add-flow', flow: flow(1, []) });
    expect(await dumpFlows()).toContain('priority=1');
    await driver.apply({ kind: 'effective', bridge: BRIDGE });
  });

  it('follows a restarted database, and shows what is wrong in it', async () => {
    const up = next('up', ({ bridge }) => bridge === undefined);
    await lab.host('a').restartOvsdb();
    await up;
    await lab.vsctl(
      'a',
      'set',
      'Interface',
      'up0',
      `external_ids:junk=${'x'.repeat(5_000)}`,
      'external_ids:ok=1',
    );
    const { problems, interfaces } = await until('the driver to hear of it', async () => {
      const seen = await driver.read();
      return (seen.problems ?? []).length > 0 ? seen : undefined;
    });
    expect(problems).toMatchObject([{ code: 'invalid', details: [{ field: 'external_ids:junk' }] }]);
    expect(interfaces.find(({ name }) => name === 'up0')?.externalIds).toMatchObject({ ok: '1' });
  });

  it('removes what it made', async () => {
    await ovsdb({ op: 'remove-port', bridge: BRIDGE, port: 'up0' });
    await ovsdb({ op: 'remove-bridge', bridge: BRIDGE });
    expect(await lab.vsctl('a', 'list-br')).toBe('');
    await expect(bundle({ op: 'add-flow', flow: flow(1, []) })).rejects.toMatchObject({
      problem: { code: 'not-found' },
    });
  });
});
