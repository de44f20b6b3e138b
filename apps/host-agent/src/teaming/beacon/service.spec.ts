import { describe, expect, it } from '@jest/globals';
import { REG } from '#compiler';
import { ManualClock, settle } from '../../agent.fixture.js';
import { type ServiceHost } from '../../service.js';
import { NO_TEAMING, type TeamingMemory } from '../standing.js';
import { BEACON_FIGURES } from './circle.js';
import { BeaconService } from './service.js';

const NAMES = ['uplink1', 'uplink2', 'uplink3'];
const UPLINKS = NAMES.map((name, i) => ({
  name,
  key: i + 1,
  device: `eth${i}`,
  ofport: 101 + i,
  mac: 0x0200_0000_aa00n + BigInt(i),
}));

/** Three uplinks into a segment; those that are mute bring and take nothing. */
function world() {
  const clock = new ManualClock();
  const memory = { teaming: { ...NO_TEAMING, live: { lan: NAMES } } as TeamingMemory };
  const kicks: string[] = [];
  const sent: Uint8Array[] = [];
  const mute = new Set<number>();
  let fails = false;
  const host = {
    clock,
    memory,
    log: { info: () => undefined, warn: () => undefined },
    kick: () => kicks.push('kick'),
    driver: {
      packetOut: (_bridge: string, port: number, frame: Uint8Array) => {
        if (fails) return Promise.reject(new Error('the switch is away'));
        sent.push(frame);
        for (const { ofport, key } of UPLINKS)
          if (ofport !== port && !mute.has(ofport) && !mute.has(port)) bring(frame, key);
        return Promise.resolve();
      },
    },
  };
  const service = new BeaconService(host as unknown as ServiceHost);
  const bring = (frame: Uint8Array, by: number): void => {
    const vlan = (frame[14] ?? 0) * 256 + (frame[15] ?? 0);
    service.frames.beacon?.({
      notice: { kind: 'beacon', slot: by, epoch: 0 },
      bridge: 'br',
      frame: new Uint8Array([...frame.subarray(0, 12), ...frame.subarray(16)]),
      metadata: { [REG.segment]: { value: BigInt(vlan) } },
    });
  };
  const carried = (detection: string): Promise<void> => {
    const tags = [
      { from: 7, to: 7 },
      { from: 10, to: 4_000 },
    ];
    const bindings = [{ bridge: 'br', carried: { uplinks: UPLINKS, tags, teaming: { detection } } }];
    service.carriedOut({ bindings, state: { bridges: [{ name: 'br', switch: 'lan' }] } } as never);
    return settle();
  };
  const rounds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      clock.advance(BEACON_FIGURES.intervalMs);
      await settle();
    }
  };
  const states = () =>
    service
      .telemetry()
      .beacons?.map(({ state }) => state)
      .join();
  return {
    service,
    memory,
    kicks,
    sent,
    mute,
    bring,
    carried,
    rounds,
    states,
    fail: (now: boolean) => (fails = now),
  };
}

describe('beacons of a switch', () => {
  it('take an uplink down that leads nowhere, and back; ports without failback stay away', async () => {
    const { memory, kicks, mute, carried, rounds, states, sent } = world();
    await carried('beacon');
    // Each uplink, in one VLAN of each range.
    expect(sent).toHaveLength(6);
    await rounds(1);
    expect(states()).toBe('heard,heard,heard');
    mute.add(102);
    await rounds(BEACON_FIGURES.rounds + 1);
    expect(memory.teaming.unhealthy).toEqual({ lan: ['uplink2'] });
    expect(states()).toBe('heard,alone,heard');
    mute.clear();
    await rounds(BEACON_FIGURES.rounds + 1);
    expect(memory.teaming).toMatchObject({ unhealthy: { lan: [] }, passedOver: { lan: ['uplink2'] } });
    expect(kicks).toHaveLength(2);
  });

  it('prove nothing when said again later, or by another uplink, or when the switch is away', async () => {
    const { memory, kicks, mute, carried, rounds, sent, bring, fail } = world();
    await carried('beacon');
    mute.add(102);
    await rounds(BEACON_FIGURES.rounds + 1);
    const old = [...sent];
    for (let i = 0; i < BEACON_FIGURES.rounds * 2; i += 1) {
      for (const frame of old) for (const by of [1, 2, 3]) bring(frame, by);
      await rounds(1);
    }
    expect(memory.teaming.unhealthy).toEqual({ lan: ['uplink2'] });
    fail(true);
    await rounds(10);
    expect(memory.teaming.unhealthy).toEqual({ lan: ['uplink2'] });
    expect(kicks).toHaveLength(1);
  });

  it('end when nobody wants them, and with them what they told', async () => {
    const { service, memory, mute, carried, rounds, sent, states } = world();
    await carried('beacon');
    mute.add(102);
    await rounds(BEACON_FIGURES.rounds + 1);
    await carried('link');
    expect(memory.teaming.unhealthy).toEqual({});
    expect(states()).toBeUndefined();
    const count = sent.length;
    await rounds(3);
    expect(sent).toHaveLength(count);
    await service.close();
  });
});
