import { beforeEach, describe, expect, it } from '@jest/globals';
import { PNIC_FLOWS, REFUSED_FLOWS, TABLES, type Compiled } from '#compiler';
import { type FlowStats, type MeterStats, type ObservedInterface, type PortStats } from '#openflow';
import { type ServiceHost } from '../service.js';
import { BesideLedgerService } from './beside.js';

const nothing = { rxBytes: 0n, txBytes: 0n, txPackets: 0n, rxDropped: 0n, txDropped: 0n, txErrors: 0n };
const compiled = {
  state: { bridges: [{ name: 'pt-lan', switch: 'lan' }] },
  bindings: [
    {
      port: 'p1',
      epoch: 1,
      role: 'active',
      bridge: 'pt-lan',
      slot: 1,
      ofport: 4,
      meters: { in: { unicast: 16, multicast: 17, broadcast: 18 } },
    },
  ],
} as unknown as Compiled;
const uplink = { bridge: 'pt-lan', name: 'up0', ofport: 9, marks: { 'portolan-uplink': 'uplink1' } };

describe('what is told beside the ledger', () => {
  let sent: bigint;
  let ageMs: number;
  let device: { rxPackets: bigint; rxErrors: bigint };
  let crossed: [table: number, packets: bigint][];
  let service: BesideLedgerService;
  const away = { portStats: false };

  beforeEach(() => {
    [sent, ageMs, device, crossed] = [10n, 1_000, { rxPackets: 1_000n, rxErrors: 2n }, []];
    away.portStats = false;
    const meters = (): MeterStats[] =>
      [16, 17, 18].map((id) => ({
        id,
        packetsIn: id === 16 ? sent : 0n,
        bytesIn: 0n,
        durationMs: ageMs,
        dropped: { packets: 0n, bytes: 0n },
      }));
    const ports = (): PortStats[] => [
      { number: 4, durationMs: 1, ...nothing, ...device },
      { number: 9, durationMs: 1, ...nothing, rxPackets: 77n, rxErrors: 0n, rxBytes: 7_700n },
    ];
    const flows = (): FlowStats[] =>
      crossed.map(([table, packets]) => ({
        flow: { table, cookie: PNIC_FLOWS.cookie | 1n } as FlowStats['flow'],
        packets,
        bytes: packets * 100n,
        durationMs: 1,
      }));
    const refused = (): FlowStats[] =>
      [TABLES.TRAP, TABLES.REVERSE_GATE].map((table) => ({
        flow: {
          table,
          cookie: REFUSED_FLOWS.cookie | 1n,
          match: { in_port: { value: 9n } },
        } as FlowStats['flow'],
        packets: 4n,
        bytes: 400n,
        durationMs: 1,
      }));
    service = new BesideLedgerService({
      driver: {
        meterStats: () => Promise.resolve(meters()),
        portStats: () => (away.portStats ? Promise.reject(new Error('away')) : Promise.resolve(ports())),
        flowStats: (_bridge: string, cookie: bigint) =>
          Promise.resolve(cookie === REFUSED_FLOWS.cookie ? refused() : flows()),
      },
      clock: { now: () => 5 },
      compiled: () => compiled,
      observation: () => ({ interfaces: [uplink as unknown as ObservedInterface] }),
    } as unknown as ServiceHost);
  });
  const told = async () => (await service.look()).beside?.[0];

  it('is what the device took and the switch did not read, from the first look on, and never less again', async () => {
    expect(await told()).toEqual({ port: 'p1', epoch: 1, lost: 0, exceptions: { in: 0, out: 0 } });
    [device, sent] = [{ rxPackets: 1_100n, rxErrors: 5n }, 103n];
    expect(await told()).toMatchObject({ lost: 7, exceptions: { in: 3, out: 0 } });
    sent = 120n;
    expect(await told()).toMatchObject({ lost: 7 });
  });

  it('begins anew with other meters', async () => {
    await told();
    [device, sent, ageMs] = [{ rxPackets: 5_000n, rxErrors: 2n }, 3_000n, 10];
    expect(await told()).toMatchObject({ lost: 0 });
  });

  it('goes on over flows that were made anew', async () => {
    crossed = [
      [TABLES.DISPATCH_OUT, 5n],
      [TABLES.TO_PNIC, 8n],
    ];
    expect(await told()).toMatchObject({ pnic: { from: { packets: 5 }, to: { packets: 8, bytes: 800 } } });
    crossed = [
      [TABLES.DISPATCH_OUT, 2n],
      [TABLES.TO_PNIC, 9n],
    ];
    expect(await told()).toMatchObject({ pnic: { from: { packets: 7 }, to: { packets: 9, bytes: 900 } } });
  });

  it('tells of uplinks what their devices counted, with what was refused of it, and nothing at all while the switch is away', async () => {
    expect((await service.look()).devices).toMatchObject([
      { switch: 'lan', device: 'up0', time: 5, in: { packets: 77, bytes: 7_700 }, refused: 8 },
    ]);
    away.portStats = true;
    for (let turn = 0; turn < 6; turn++) {
      service.telemetry();
      await new Promise(setImmediate);
    }
    expect(service.telemetry()).toEqual({});
  });
});
