import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Clock } from '#kernel';
import { COUNT_RATE, type Action, type BundleMod, type DriverEvent, type Flow, type Match } from '#openflow';
import { type SwitchOptions } from './bridge/limits.js';
import { SimulatedDriver } from './driver.js';
import { SimulatedSwitch } from './switch.js';

const BR = 'pt-lan';
const A = 0x0200_0000_0001n;
const B = 0x0200_0000_0002n;

class ManualClock implements Clock {
  time = 0;
  timers: { at: number; fn: () => void }[] = [];
  now = () => this.time;
  monotonic = () => this.time;
  after = (ms: number, fn: () => void) => {
    const timer = { at: this.time + ms, fn };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((t) => t !== timer));
  };
  advance(ms: number): void {
    this.time += ms;
    const due = this.timers.filter((t) => t.at <= this.time);
    this.timers = this.timers.filter((t) => t.at > this.time);
    for (const t of due) t.fn();
  }
}

const flow = (table: number, priority: number, match: Match, actions: readonly Action[]): Flow => ({
  table,
  priority,
  match,
  actions,
  cookie: 1n,
});
const to = (port: number): Action => ({ kind: 'output', port });
const bytes = (dst: bigint, src: bigint, size = 60): Uint8Array => {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, dst << 16n);
  view.setBigUint64(6, (src << 16n) | 0x88b5n);
  return out;
};

/** A row of table 5 for what is sent to the source of a frame: it sets the lowest bit of a register. */
const learnsSource = (hardTimeout: number): Action => ({
  kind: 'learn',
  table: 5,
  priority: 9,
  cookie: 2n,
  idleTimeout: 0,
  hardTimeout,
  specs: [
    {
      kind: 'match-field',
      dst: { field: 'eth_dst', offset: 0, bits: 48 },
      src: { field: 'eth_src', offset: 0, bits: 48 },
    },
    { kind: 'load-value', dst: { field: 'reg10', offset: 0, bits: 1 }, value: 1n },
  ],
});

describe('the simulated switch', () => {
  let clock: ManualClock;
  let target: SimulatedSwitch;
  let driver: SimulatedDriver;
  let events: DriverEvent[];
  let out: [string, number][];

  const bundle = (...mods: BundleMod[]) => driver.apply({ kind: 'bundle', bridge: BR, mods });
  const add = (...flows: Flow[]) => bundle(...flows.map((f) => ({ op: 'add-flow', flow: f }) as const));
  const meter = (id: number, rate: number, burst?: number) =>
    driver.apply({
      kind: 'meters',
      bridge: BR,
      mods: [{ op: 'add', meter: { id, unit: 'pktps', rate, ...(burst === undefined ? {} : { burst }) } }],
    });
  const flows = async () => (await driver.read()).bridges[0]?.flows ?? [];
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  async function begin(options: SwitchOptions & { devices?: string[] } = {}): Promise<void> {
    clock = new ManualClock();
    target = new SimulatedSwitch({ clock, ...options });
    driver = new SimulatedDriver(target);
    events = [];
    out = [];
    driver.watch((event) => events.push(event));
    await driver.start();
    await driver.apply({
      kind: 'ovsdb',
      changes: [{ op: 'add-bridge', bridge: BR, switch: 'lan', mtu: 1500 }],
    });
    for (const name of ['one', 'two', 'three']) target.addInterface({ bridge: BR, name });
    target.onTransmit((name, frame) => out.push([name, frame.length]));
  }

  beforeEach(() => begin());

  describe('refuses, and does nothing of it,', () => {
    const refused: [string, Flow[]][] = [
      [
        'overlapping flows',
        [flow(0, 5, { eth_dst: { value: A } }, []), flow(0, 5, { eth_src: { value: B } }, [])],
      ],
      [
        'overlapping masks',
        [flow(0, 5, { reg0: { value: 4n, mask: 6n } }, []), flow(0, 5, { reg0: { value: 5n } }, [])],
      ],
      ['an unknown meter', [flow(0, 5, {}, [{ kind: 'meter', meter: 9 }])]],
      [
        'an unknown group in a clone',
        [flow(0, 5, {}, [{ kind: 'clone', actions: [{ kind: 'group', group: 9 }] }])],
      ],
      ['a table that is not there', [flow(254, 5, {}, [])]],
      ['a jump backwards', [flow(3, 5, {}, [{ kind: 'goto', table: 3 }])]],
      ['a goto that is not last', [flow(0, 5, {}, [{ kind: 'goto', table: 3 }, to(1)])]],
      ['a meter in a clone', [flow(0, 5, {}, [{ kind: 'clone', actions: [{ kind: 'meter', meter: 1 }] }])]],
      [
        'a second meter',
        [
          flow(0, 5, {}, [
            { kind: 'meter', meter: 1 },
            { kind: 'meter', meter: 1 },
          ]),
        ],
      ],
      ['a missing prerequisite', [flow(0, 5, { ip_proto: { value: 6n } }, [])]],
      ['bits outside the mask', [flow(0, 5, { eth_dst: { value: 3n, mask: 1n } }, [])]],
      ['setting in_port', [flow(0, 5, {}, [{ kind: 'set-field', field: 'in_port', value: 0n }])]],
      ['writing what is not emitted', [flow(0, 5, {}, [{ kind: 'set-field', field: 'arp_sha', value: 1n }])]],
      [
        'a tag that is written into where there may be none',
        [
          flow(0, 5, { vlan_vid: { value: 0x1000n, mask: 0x1000n } }, [
            { kind: 'pop-vlan' },
            { kind: 'clone', actions: [{ kind: 'set-field', field: 'vlan_vid', value: 0x1064n }] },
          ]),
        ],
      ],
      ['NORMAL', [flow(0, 5, {}, [{ kind: 'output', port: 'normal' }])]],
    ];
    it.each(refused)('%s', async (_what, wrong) => {
      await meter(1, COUNT_RATE);
      await add(flow(0, 1, {}, []));
      await expect(add(flow(0, 7, {}, []), ...wrong)).rejects.toMatchObject({ problem: { retry: false } });
      expect((await flows()).map((f) => f.flow.priority)).toEqual([1]);
    });

    it('full tables', async () => {
      await begin({ limits: { flowsPerTable: 2, meters: 1 } });
      await add(flow(0, 1, {}, []), flow(0, 2, {}, []));
      await expect(add(flow(0, 3, {}, []))).rejects.toThrow('full');
      await meter(1, 5);
      await expect(meter(2, 5)).rejects.toThrow('full');
    });

    it('unknown bridges, rows and meters; and half a transaction', async () => {
      await expect(driver.apply({ kind: 'purge', bridge: 'nope' })).rejects.toThrow('unknown');
      const changes = [
        { op: 'add-bridge', bridge: 'b2', switch: 's', mtu: 1500 },
        { op: 'remove-port', bridge: BR, port: 'gone' },
      ] as const;
      await expect(driver.apply({ kind: 'ovsdb', changes })).rejects.toThrow('is not in');
      expect(target.bridges.has('b2')).toBe(false);
      const modify = { op: 'modify', meter: { id: 3, unit: 'pktps', rate: 1 } } as const;
      await expect(driver.apply({ kind: 'meters', bridge: BR, mods: [modify] })).rejects.toThrow('unknown');
    });
  });

  describe('bites like a real one:', () => {
    const count = { kind: 'meter', meter: 1 } as const;

    it('a modified meter has lost its counts, not its age; a deleted one takes its flows along', async () => {
      await meter(1, COUNT_RATE);
      await add(flow(0, 1, {}, [count, to(2)]), flow(1, 1, {}, []));
      target.inject('one', bytes(B, A));
      clock.advance(500);
      const stats = async () => (await driver.meterStats(BR, [1, 2]))[0];
      expect(await stats()).toMatchObject({ packetsIn: 1n, bytesIn: 60n, durationMs: 500 });
      const again = { op: 'modify', meter: { id: 1, unit: 'pktps', rate: COUNT_RATE } } as const;
      await driver.apply({ kind: 'meters', bridge: BR, mods: [again] });
      expect(await stats()).toMatchObject({ packetsIn: 0n, durationMs: 500 });
      await driver.apply({ kind: 'meters', bridge: BR, mods: [{ op: 'delete', id: 1 }] });
      expect((await flows()).map((f) => f.flow.table)).toEqual([1]);
    });

    it('a meter that drops ends the list, but for what stands in a real clone', async () => {
      await meter(1, 10, 1);
      const starve: Action[] = [{ kind: 'resubmit', table: 1 }];
      const isolate: Action = { kind: 'output-trunc', port: 65_000, maxLen: 65_535 };
      await add(flow(1, 1, {}, [count, to(2)]), flow(0, 1, {}, [{ kind: 'clone', actions: starve }, to(3)]));
      for (let i = 0; i < 5; i += 1) target.inject('one', bytes(B, A));
      expect(out.map(([name]) => name)).toEqual(['two', 'three']);
      await add(flow(0, 1, {}, [{ kind: 'clone', actions: [...starve, isolate] }, to(3)]));
      out = [];
      for (let i = 0; i < 5; i += 1) target.inject('one', bytes(B, A));
      expect(out.map(([name]) => name)).toEqual(['three', 'three', 'three', 'three', 'three']);
    });

    it('a bucket smaller than a millisecond of its rate never refills', async () => {
      const small = { id: 1, unit: 'kbps', rate: 10_000_000, burst: 1_000 } as const;
      await driver.apply({ kind: 'meters', bridge: BR, mods: [{ op: 'add', meter: small }] });
      await add(flow(0, 1, {}, [count, to(2)]));
      for (let i = 0; i < 300; i += 1) {
        target.inject('one', bytes(B, A, 1000));
        clock.advance(10);
      }
      expect(out.length).toBe(125);
    });

    it('old flows are used for known frames until the change is effective', async () => {
      await begin({ staleUntilEffective: true });
      await add(flow(0, 1, {}, [to(2)]));
      target.inject('one', bytes(B, A));
      await bundle({ op: 'delete-flow', flow: flow(0, 1, {}, []) });
      target.inject('one', bytes(B, A));
      target.inject('one', bytes(A, B));
      expect(out.length).toBe(2);
      await driver.apply({ kind: 'effective', bridge: BR });
      target.inject('one', bytes(B, A));
      expect(out.length).toBe(2);
    });

    it('a frame is looked up in the tables as they were when it came: what it teaches is for the next one', async () => {
      const learn = learnsSource(0);
      await add(flow(0, 1, {}, [learn, { kind: 'resubmit', table: 5 }, { kind: 'goto', table: 6 }]));
      await add(flow(6, 1, { reg10: { value: 1n } }, [to(2)]));
      target.inject('one', bytes(A, A));
      expect(out.length).toBe(0);
      target.inject('one', bytes(A, A));
      expect(out.length).toBe(1);
    });

    it('a learned row comes back while its trigger stands; time-outs end flows', async () => {
      const learn = learnsSource(3);
      await add(flow(0, 1, {}, [learn]));
      target.inject('one', bytes(B, A));
      const row = (await flows()).find((f) => f.flow.table === 5)?.flow;
      expect(row).toMatchObject({ priority: 9, cookie: 2n, match: { eth_dst: { value: A } } });
      expect(row?.actions).toEqual([{ kind: 'set-field', field: 'reg10', value: 1n, mask: 1n }]);
      expect(target.deleteFlow(BR, row as Flow)).toBe(true);
      target.inject('one', bytes(B, A));
      expect((await flows()).length).toBe(2);
      clock.advance(3000);
      expect((await flows()).length).toBe(1);
      await settle();
      const changes = events.flatMap((e) => (e.kind === 'flows' ? e.changes.map((c) => c.change) : []));
      expect(changes).toEqual(['added', 'removed', 'added', 'removed']);
    });
  });

  it('tells the agent what it was told to tell', async () => {
    const userdata = new Uint8Array([1, 2, 3]);
    const tell: Action = { kind: 'controller', maxLen: 20, userdata };
    await add(flow(0, 1, {}, [{ kind: 'set-field', field: 'reg3', value: 7n }, tell]));
    target.inject('two', bytes(B, A));
    await settle();
    const [seen] = events.filter((e) => e.kind === 'packet-in');
    expect(seen).toMatchObject({
      bridge: BR,
      table: 0,
      metadata: { in_port: { value: 2n }, reg3: { value: 7n } },
      userdata,
    });
    expect(seen?.kind === 'packet-in' && seen.frame.length).toBe(20);
  });

  it('learns up to a limit, and says whether it did', async () => {
    const limited: Action = {
      kind: 'learn',
      table: 7,
      priority: 1,
      cookie: 9n,
      idleTimeout: 0,
      hardTimeout: 0,
      limit: 2,
      resultDst: { field: 'reg4', offset: 2, bits: 1 },
      specs: [
        {
          kind: 'match-field',
          dst: { field: 'eth_src', offset: 0, bits: 48 },
          src: { field: 'eth_src', offset: 0, bits: 48 },
        },
        {
          kind: 'load-field',
          dst: { field: 'reg15', offset: 0, bits: 32 },
          src: { field: 'in_port', offset: 0, bits: 32 },
        },
      ],
    };
    await add(
      flow(0, 1, {}, [limited, { kind: 'goto', table: 1 }]),
      flow(1, 1, { reg4: { value: 4n, mask: 4n } }, [to(2)]),
      flow(1, 1, { reg4: { value: 0n, mask: 4n } }, [to(3)]),
    );
    for (const source of [1n, 2n, 3n, 1n]) target.inject('one', bytes(B, source));
    expect(out.map(([name]) => name)).toEqual(['two', 'two', 'three', 'two']);
    const learned = (await flows()).filter((s) => s.flow.table === 7);
    expect(learned.map((s) => s.flow.actions)).toEqual(
      [1, 1].map((port) => [{ kind: 'set-field', field: 'reg15', value: BigInt(port) }]),
    );
  });

  it('tells counts of flows late, of meters and ports at once', async () => {
    await meter(1, COUNT_RATE);
    await add(flow(0, 1, {}, [{ kind: 'meter', meter: 1 }, to(2)]));
    const counted = async () => (await flows())[0]?.packets;
    for (let i = 0; i < 3; i += 1) target.inject('one', bytes(B, A));
    expect(await counted()).toBe(0n);
    expect((await driver.meterStats(BR, [1]))[0]?.packetsIn).toBe(3n);
    const ports = await driver.portStats(BR);
    expect(ports.map((p) => [p.rxPackets, p.txPackets, p.txBytes])).toEqual([
      [3n, 0n, 0n],
      [0n, 3n, 180n],
      [0n, 0n, 0n],
    ]);
    clock.advance(500);
    expect(await counted()).toBe(3n);
    target.inject('one', bytes(B, A));
    await driver.apply({ kind: 'purge', bridge: BR });
    expect(await counted()).toBe(4n);
    target.removeInterface('two');
    expect(await driver.portStats(BR)).toHaveLength(2);
  });

  it("tells of groups and meters that others change, not of the agent's", async () => {
    await meter(1, 5);
    const group = { id: 3, type: 'all', buckets: [] } as const;
    target.alterMeter(BR, { kind: 'meter-mod', command: 'delete', id: 1 });
    target.alterGroup(BR, { kind: 'group-mod', command: 'add', group });
    await settle();
    expect(events.filter((e) => e.kind === 'groups' || e.kind === 'meters')).toEqual([
      { kind: 'meters', bridge: BR, mods: [{ kind: 'meter-mod', command: 'delete', id: 1 }] },
      { kind: 'groups', bridge: BR, mods: [{ kind: 'group-mod', command: 'add', group }] },
    ]);
    expect((await driver.read()).bridges[0]).toMatchObject({ groups: [group], meters: [] });
  });

  it('lets a meter of packet-ins stop nothing else', async () => {
    await meter(1, 1, 1);
    const tell: Action = { kind: 'controller', maxLen: 20, userdata: new Uint8Array([1]), meter: 1 };
    await expect(add(flow(0, 1, {}, [{ ...tell, meter: 2 }]))).rejects.toThrow();
    await add(flow(0, 1, {}, [tell, to(2)]));
    for (let i = 0; i < 5; i += 1) target.inject('one', bytes(B, A));
    await settle();
    expect(out).toHaveLength(5);
    expect(events.filter((e) => e.kind === 'packet-in')).toHaveLength(1);
  });

  it('chooses by the fields that a group names', async () => {
    const buckets = [2, 3].map((port) => ({ actions: [to(port)] }));
    const selection = { method: 'hash', fields: ['eth_src'] } as const;
    await bundle(
      { op: 'add-group', group: { id: 1, type: 'select', buckets, selection } },
      { op: 'add-flow', flow: flow(0, 1, {}, [{ kind: 'group', group: 1 }]) },
    );
    const ways = (frames: Uint8Array[]) => {
      out = [];
      for (const frame of frames) target.inject('one', frame);
      return new Set(out.map(([name]) => name)).size;
    };
    expect(ways(Array.from({ length: 64 }, (_, i) => bytes(BigInt(i * 2), A)))).toBe(1);
    expect(ways(Array.from({ length: 64 }, (_, i) => bytes(B, BigInt(i * 2))))).toBe(2);
  });

  it('plugs the members of a bond, and takes them out with it', async () => {
    const bond = { members: ['e1', 'e2'], lacp: 'active' } as const;
    const port = { name: 'lag1', plugged: 'agent', type: '', marks: {}, bond } as const;
    await driver.apply({ kind: 'ovsdb', changes: [{ op: 'add-port', bridge: BR, port }] });
    const members = async () => (await driver.interfaces()).filter((i) => i.port === 'lag1');
    expect((await members()).map((i) => i.name)).toEqual(['e1', 'e2']);
    await driver.apply({ kind: 'ovsdb', changes: [{ op: 'remove-port', bridge: BR, port: 'lag1' }] });
    expect(await members()).toEqual([]);
  });

  it('fails over groups by link, and forwards on while the agent is cut off', async () => {
    const buckets = [2, 3].map((port) => ({ watchPort: port, actions: [to(port)] }));
    await bundle(
      { op: 'add-group', group: { id: 1, type: 'fast-failover', buckets } },
      { op: 'add-flow', flow: flow(0, 1, {}, [{ kind: 'group', group: 1 }]) },
    );
    target.inject('one', bytes(B, A));
    target.setLink('two', false);
    driver.disconnect('pulled');
    await expect(driver.read()).rejects.toMatchObject({ problem: { code: 'unavailable', retry: true } });
    target.inject('one', bytes(B, A));
    expect(out.map(([name]) => name)).toEqual(['two', 'three']);
    driver.reconnect();
    driver.failNextApply();
    await expect(add(flow(2, 1, {}, []))).rejects.toMatchObject({ problem: { code: 'unavailable' } });
    await add(flow(2, 1, {}, []));
    await settle();
    expect(events.map((e) => e.kind).filter((k) => k === 'up' || k === 'down')).toEqual(['up', 'down', 'up']);
  });

  it('has no number for a device that the host has not', async () => {
    await begin({ devices: ['eth0'] });
    const port = (name: string) =>
      ({ op: 'add-port', bridge: BR, port: { name, plugged: 'agent', type: '', marks: {} } }) as const;
    await driver.apply({ kind: 'ovsdb', changes: [port('eth0'), port('eth7')] });
    const [eth0, eth7] = (await driver.interfaces()).slice(-2);
    expect(eth0?.ofport).toBeGreaterThan(0);
    expect(eth7?.error).toContain('No such device');
  });

  it('survives frames that are cut short or say nonsense', async () => {
    const deep: Match = { eth_type: { value: 0x0800n }, ip_proto: { value: 6n }, tcp_dst: { value: 80n } };
    await add(flow(0, 9, deep, []), flow(0, 1, {}, [{ kind: 'pop-vlan' }, to(2)]));
    const heads = [
      [],
      [8, 0],
      [8, 0, 0x45],
      [0x86, 0xdd, 0x60, 0, 0, 0],
      [0x81, 0],
      [0x81, 0, 0, 1, 0x81, 0],
    ];
    for (const head of heads)
      target.inject('one', new Uint8Array([...new Array<number>(12).fill(2), ...head]));
    const v6 = new Uint8Array(200).fill(44, 14);
    v6.set([0x86, 0xdd], 12);
    target.inject('one', v6);
    expect(out.length).toBe(heads.length);
    expect(target.faults).toEqual([]);
  });
});
