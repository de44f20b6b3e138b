import { beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '#kernel';
import { type Action, type BundleMod, type DriverEvent, type Flow, type Match } from '#openflow';
import { SimulatedDriver } from '../driver.js';
import { SimulatedSwitch } from '../switch.js';
import { CONVERSATIONS, MARK, stateText, tcp, udp } from './conformance.fixture.js';
import { pipeline, ZONE } from './pipeline.fixture.js';

const BR = 'pt-lan';
type PacketIn = Extract<DriverEvent, { kind: 'packet-in' }>;

describe('conntrack of the simulated switch', () => {
  let target: SimulatedSwitch;
  let driver: SimulatedDriver;
  let told: PacketIn[];
  let out: Uint8Array[];

  const bundle = (...mods: BundleMod[]) => driver.apply({ kind: 'bundle', bridge: BR, mods });
  const add = (...flows: Flow[]) => bundle(...flows.map((flow) => ({ op: 'add-flow', flow }) as const));
  const flow = (table: number, match: Match, actions: readonly Action[], priority = 1): Flow => {
    return { table, priority, match, actions, cookie: 1n };
  };
  const ip: Match = { eth_type: { value: 0x0800n } };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  async function pass(frame: Uint8Array): Promise<PacketIn | undefined> {
    told = [];
    target.inject('one', frame);
    await settle();
    return told.at(-1);
  }

  beforeEach(async () => {
    target = new SimulatedSwitch({ clock: systemClock });
    driver = new SimulatedDriver(target);
    out = [];
    driver.watch((event) => event.kind === 'packet-in' && told.push(event));
    await driver.start();
    await driver.apply({
      kind: 'ovsdb',
      changes: [{ op: 'add-bridge', bridge: BR, switch: 'lan', mtu: 1500 }],
    });
    for (const name of ['one', 'two', 'three']) target.addInterface({ bridge: BR, name });
    target.onTransmit((_name, frame) => out.push(frame));
  });

  for (const { name, frames } of CONVERSATIONS) {
    it(`says what a real one does: ${name}`, async () => {
      await add(...pipeline);
      for (const [frame, state, mark] of frames) {
        const metadata = (await pass(frame))?.metadata;
        expect([stateText(metadata?.ct_state?.value ?? 0n), metadata?.ct_mark?.value ?? 0n]).toEqual([
          state,
          mark,
        ]);
      }
    });
  }

  it('keeps zones apart, and forgets one alone', async () => {
    const inZone = (zone: number, port: bigint) =>
      flow(0, { ...ip, in_port: { value: port } }, [{ kind: 'ct', zone, commit: true, table: 1 }]);
    await add(inZone(ZONE, 1n), inZone(7, 2n), ...pipeline.filter((f) => f.table === 1));
    await pass(udp(1, 2, 3, 4));
    target.inject('two', udp(1, 2, 3, 4));
    await settle();
    expect(target.conntrack.all().map((c) => c.zone)).toEqual([ZONE, 7]);
    await driver.apply({ kind: 'flush', bridge: BR, connections: [{ zone: ZONE }] });
    expect(target.conntrack.all().map((c) => c.zone)).toEqual([7]);
    await driver.apply({
      kind: 'flush',
      bridge: BR,
      connections: [{ zone: 7, protocol: 17, original: { family: 4, src: 1n, dstPort: 5 } }],
    });
    expect(target.conntrack.all()).toHaveLength(1);
    await driver.apply({
      kind: 'flush',
      bridge: BR,
      connections: [{ protocol: 17, original: { family: 4, src: 1n, dstPort: 4 } }],
    });
    expect(target.conntrack.all()).toEqual([]);
  });

  it('begins a new list of actions behind a ct, so that a meter there ends nothing in front', async () => {
    await driver.apply({
      kind: 'meters',
      bridge: BR,
      mods: [{ op: 'add', meter: { id: 1, unit: 'pktps', rate: 1, burst: 1 } }],
    });
    await add(
      flow(0, ip, [
        { kind: 'ct', zone: ZONE, table: 2 },
        { kind: 'output', port: 2 },
      ]),
      flow(2, {}, [
        { kind: 'meter', meter: 1 },
        { kind: 'output', port: 3 },
      ]),
    );
    for (let i = 0; i < 5; i += 1) await pass(udp(1, 2, 3, 4));
    expect(out).toHaveLength(5 + 1);
  });

  it('forgets behind a ct what it told, and takes marks from registers', async () => {
    const zone = { field: 'reg13', offset: 0, bits: 16 } as const;
    const move = {
      kind: 'move',
      src: { field: 'reg6', offset: 0, bits: 32 },
      dst: { field: 'ct_mark', offset: 0, bits: 32 },
    } as const;
    await add(
      flow(0, ip, [
        { kind: 'set-field', field: 'reg13', value: BigInt(ZONE) },
        { kind: 'set-field', field: 'reg6', value: 9n },
        { kind: 'ct', zone, commit: true, exec: [move] },
        { kind: 'controller', maxLen: 64, userdata: new Uint8Array([1]) },
      ]),
    );
    const packet = await pass(tcp(1, 2, 3, 4, 2));
    expect(packet?.metadata).not.toHaveProperty('ct_state');
    expect(target.conntrack.all()).toMatchObject([{ zone: ZONE, mark: 9 }]);
    expect(MARK).not.toBe(9n);
  });

  it('survives what is cut short or nonsense', async () => {
    await add(...pipeline);
    for (const { frames } of CONVERSATIONS) {
      for (const [frame] of frames)
        for (let end = 14; end < frame.length; end += 1) target.inject('one', frame.slice(0, end));
    }
    const v6 = new Uint8Array(60).fill(0x60, 14);
    v6.set([8, 0], 12);
    expect((await pass(v6))?.metadata.ct_state).toEqual({ value: 0x30n });
    expect(target.faults).toEqual([]);
  });

  it('refuses what a real one does', async () => {
    const ct: Action = { kind: 'ct', zone: 1 };
    const exec = [{ kind: 'set-field', field: 'reg1', value: 1n }] as const;
    const refused: Flow[] = [
      flow(0, {}, [ct]),
      flow(0, ip, [{ ...ct, exec: [{ kind: 'set-field', field: 'ct_mark', value: 1n }] }]),
      flow(0, ip, [{ ...ct, commit: true, exec }]),
      flow(0, ip, [{ ...ct, force: true }]),
      flow(0, { ...ip, ct_nw_src: { value: 1n } }, []),
      flow(0, {}, [{ kind: 'set-field', field: 'ip_dscp', value: 1n }]),
    ];
    for (const one of refused) await expect(add(one)).rejects.toThrow();
  });

  it('writes DSCP with the checksum right', async () => {
    await add(
      flow(0, ip, [
        { kind: 'set-field', field: 'ip_dscp', value: 46n },
        { kind: 'output', port: 2 },
      ]),
    );
    await pass(udp(1, 2, 3, 4));
    const frame = out[0] ?? new Uint8Array();
    expect(frame[15]).toBe(46 << 2);
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += ((frame[i] ?? 0) << 8) | (frame[i + 1] ?? 0);
    expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff);
  });
});
