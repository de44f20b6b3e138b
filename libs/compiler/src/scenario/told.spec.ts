import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Driver, type DriverEvent } from '#openflow';
import { handTo, readTold, sendAs } from '../answers.js';
import { addressSet, groupDoc, mac, portSet, type HostSpec } from '../documents.fixture.js';
import { HOST_METERS } from '../meters.js';
import { decodeNotice, type Notice } from '../notice.js';
import { packet, type PacketSpec } from './packets.fixture.js';
import { ManualClock, settle, TestHost } from './world.fixture.js';

const IP = (n: number): string => `10.0.0.${n}`;
const between = (from: number, to: number, more: Partial<PacketSpec> = {}): Uint8Array =>
  packet({ to: mac(to), from: mac(from), src: IP(from), dst: IP(to), protocol: 'udp', dport: 7, ...more });
const rule = (name: string, direction: string, action: string, match: object = {}, more: object = {}) => ({
  ...{ name, direction, action, tier: 1, enabled: true, match },
  ...more,
});
const filter = (stateful: boolean, fallback: string, ...rules: object[]) => ({
  stateful,
  default: fallback,
  rules,
});
/** The same octets behind a tag. */
const inVlan = (vlan: number, f: Uint8Array): Uint8Array =>
  Uint8Array.of(...f.subarray(0, 12), 0x81, 0, 0, vlan, ...f.subarray(12));
type PacketIn = Extract<DriverEvent, { kind: 'packet-in' }>;

describe('what rules tell the agent', () => {
  let a: TestHost;
  const spec = (of1: object, more: Partial<HostSpec> = {}): HostSpec => ({
    ports: [{ n: 1, override: { filter: of1 } as never }, { n: 2 }, { n: 3 }],
    ...more,
  });
  const packetIns = (): PacketIn[] => a.events.filter((e): e is PacketIn => e.kind === 'packet-in');
  const notices = (): Notice[] =>
    packetIns().flatMap(({ userdata }) => {
      const notice = decodeNotice(userdata);
      return notice.ok ? [notice.value] : [];
    });
  /** Who got it, and what was told of it. */
  const treated = async (from: number, to: number, f: Uint8Array): Promise<[boolean, string[]]> => {
    a.forget();
    a.events.length = 0;
    a.send(from, f);
    await settle();
    return [
      a.got(to).length > 0,
      notices().map(({ kind, rule: of }) => `${kind} ${of?.name} ${of?.direction} ${of?.verdict}`),
    ];
  };

  beforeEach(() => {
    a = new TestHost('h1', new ManualClock());
  });

  it('is of frames that are rejected, at either end, which are dropped and counted as dropped', async () => {
    await a.become(spec(filter(false, 'allow', rule('no', 'both', 'reject', { ipProtocol: 17 }))));
    expect(await treated(1, 2, between(1, 2))).toEqual([false, ['rejected no in reject']]);
    expect(readTold(packetIns()[0]?.metadata ?? {})).toMatchObject({ from: 1, to: 0 });
    expect(await treated(2, 1, between(2, 1))).toEqual([false, ['rejected no out reject']]);
    expect(readTold(packetIns()[0]?.metadata ?? {})).toMatchObject({ from: 2, to: 1 });
    expect(await treated(1, 2, between(1, 2, { protocol: 'tcp' }))).toEqual([true, []]);
    const { passing } = a.compiled.bindings[0]!;
    const [passed, offered] = await a.driver.meterStats('pt-lan', [passing.in, passing.out]);
    expect([await a.counts(1), passed?.packetsIn, offered?.packetsIn]).toEqual([
      [
        [2, 0, 0],
        [0, 0, 0],
      ],
      1n,
      1n,
    ]);
  });

  it('holds where the list has state, and where it names sets', async () => {
    const opens = rule('opens', 'in', 'allow', { ipProtocol: 17, dstPort: { from: 7, to: 7 } });
    await a.become(spec(filter(true, 'drop', opens, rule('no', 'both', 'reject'))));
    expect(await treated(1, 2, between(1, 2, { sport: 9 }))).toEqual([true, []]);
    // An answer passes, and what nobody asked for is rejected.
    expect(await treated(2, 1, between(2, 1, { sport: 7, dport: 9 }))).toEqual([true, []]);
    expect(await treated(2, 1, between(2, 1, { sport: 7, dport: 8 }))).toEqual([
      false,
      ['rejected no out reject'],
    ]);
    const named = filter(false, 'allow', rule('no', 'in', 'reject', { dstSet: 's' }));
    await a.become(spec(named, { sets: [addressSet('s', [IP(2)])] }));
    expect(await treated(1, 2, between(1, 2))).toEqual([false, ['rejected no in reject']]);
    expect(await treated(1, 3, between(1, 3))).toEqual([true, []]);
    await a.become(spec(named, { sets: [portSet('s', [mac(3)])] }));
    expect(await treated(1, 2, between(1, 2))).toEqual([true, []]);
    expect(await treated(1, 3, between(1, 3))).toEqual([false, ['rejected no in reject']]);
  });

  it('is of frames that are logged, which go on as the rule says', async () => {
    const log = { perSecond: 3, sample: 2 };
    const rate = { unit: 'pps', rate: 4, burst: 4 };
    const rules = [
      rule('asks', 'in', 'pass', { ipProtocol: 17 }, { tier: 0, log }),
      rule('some', 'in', 'allow', { ipProtocol: 17, dstPort: { from: 7, to: 7 } }, { log, rate }),
      rule('rest', 'both', 'reject', { ipProtocol: 17 }, { log }),
    ];
    await a.become(spec(filter(true, 'allow', ...rules)));
    expect(await treated(1, 2, between(1, 2))).toEqual([
      true,
      ['logged asks in pass', 'logged some in allow'],
    ]);
    expect(await treated(2, 1, between(2, 1))).toEqual([
      false,
      ['logged rest out reject', 'rejected rest out reject'],
    ]);
    expect(notices()[0]?.rule?.sample).toBe(2);
    a.forget();
    a.events.length = 0;
    for (let i = 0; i < 50; i += 1) a.send(1, between(1, 2));
    await settle();
    // Each rule has its own meter, and what a rate holds back is not logged.
    const of = (name: string) => notices().filter(({ rule: by }) => by?.name === name).length;
    expect([of('asks'), of('some'), a.got(2).length]).toEqual([5, 3, 3]);
  });

  it('is bounded, and what is not told is dropped as well', async () => {
    await a.become(spec(filter(false, 'allow', rule('no', 'in', 'reject'))));
    a.events.length = 0;
    for (let i = 0; i < 500; i += 1) a.send(1, between(1, 2));
    await settle();
    expect([notices().length, a.got(2).length]).toEqual([100, 0]);
  });

  it('is bounded for all lists of a bridge together', async () => {
    const ports = Array.from({ length: 60 }, (_, i) => ({
      n: i + 1,
      override: { filter: filter(false, 'allow', rule(`no${i}`, 'in', 'reject')) } as never,
    }));
    const { state } = await a.become({ ports }, {}, []);
    const { from, to } = HOST_METERS.reject;
    const rates = state.bridges[0]!.meters.filter(({ id }) => id >= from && id <= to).map(({ rate }) => rate);
    expect(rates).toHaveLength(60);
    expect(rates.reduce((sum, rate) => sum + rate, 0)).toBeLessThanOrEqual(1_000);
  });

  describe('is answered with frames that', () => {
    const send = (to: Parameters<Driver['packetOut']>[1], f: Uint8Array) =>
      a.driver.packetOut('pt-lan', to, f);
    const trunk = (groups: HostSpec['groups']) => ({ groups }) as Partial<HostSpec>;

    it('are handed to the guest past its policy, tagged and counted', async () => {
      const group = groupDoc('web', { vlan: { mode: 'trunk', ranges: [{ from: 5, to: 9 }] } } as never);
      await a.become(spec(filter(false, 'drop'), trunk([group])));
      await send(handTo(a.compiled.bindings[0]!, { segment: 7 }), between(2, 1));
      expect(a.got(1)).toEqual([inVlan(7, between(2, 1))]);
      const { passing } = a.compiled.bindings[0]!;
      const [offered] = await a.driver.meterStats('pt-lan', [passing.out]);
      expect([(await a.counts(1))[1], offered?.packetsIn]).toEqual([[1, 0, 0], 1n]);
    });

    it('go to whoever they are for as the guest’s own, in its VLAN, past its policy and by its uplink', async () => {
      const group = groupDoc('web', { vlan: { mode: 'access', id: 7 } } as never);
      await a.become(spec(filter(false, 'drop'), trunk([group])));
      const as1 = sendAs(a.compiled.bindings[0]!, { segment: 7 });
      await send(as1, between(1, 2));
      await send(as1, between(1, 9));
      expect(a.got(2)).toEqual([between(1, 2)]);
      expect(a.wire()).toEqual([inVlan(7, between(1, 9))]);
      expect((await a.counts(1))[0]).toEqual([0, 0, 0]);
    });
  });
});
