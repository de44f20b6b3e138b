import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type PortStats } from '#openflow';
import { ManualClock, settle } from '../../agent.fixture.js';
import { type ServiceHost } from '../../service.js';
import { NO_TEAMING, type TeamingMemory } from '../standing.js';
import { LOAD_FIGURES } from './balance.js';
import { LoadService } from './service.js';

const GIGABIT = 1_000_000_000;
const BYTES = (GIGABIT / 8_000) * LOAD_FIGURES.intervalMs;
const UPLINKS = [1, 2].map((n) => ({ name: `uplink${n}`, device: `eth${n}`, ofport: 100 + n }));

/** A switch with two uplinks of 1 Gbit/s, and ports by load that begin on the first one. */
function world() {
  const clock = new ManualClock();
  const counts = new Map<number, { rx: number; tx: number }>();
  const memory = { teaming: { ...NO_TEAMING, live: { lan: ['uplink1', 'uplink2'] } } as TeamingMemory };
  const kicks: string[] = [];
  const stats = (): PortStats[] =>
    [...counts].map(
      ([number, { rx, tx }]) =>
        ({ number, rxBytes: BigInt(Math.round(rx)), txBytes: BigInt(Math.round(tx)) }) as PortStats,
    );
  const interfaces = UPLINKS.map((u) => ({ bridge: 'br', name: u.device, linkSpeed: GIGABIT }));
  const host = {
    clock,
    memory,
    driver: { portStats: () => Promise.resolve(stats()) },
    log: { info: () => undefined, warn: () => undefined },
    observation: () => ({ interfaces }),
    kick: () => kicks.push('kick'),
  };
  const service = new LoadService(host as unknown as ServiceHost);
  const carried = (ports: readonly number[], teaming: object = {}) => {
    const bindings = ports.map((n) => {
      const pin = memory.teaming.pins[`p${n}@1`];
      const uplinks = pin === 'uplink2' ? [...UPLINKS].reverse() : UPLINKS;
      const usual = { mode: 'load', active: ['uplink1', 'uplink2'], failback: true, detection: 'link' };
      return {
        port: `p${n}`,
        epoch: 1,
        bridge: 'br',
        ofport: n,
        open: true,
        carried: { uplinks, teaming: { ...usual, ...teaming } },
      };
    });
    service.carriedOut({ bindings, state: { bridges: [{ name: 'br', switch: 'lan' }] } } as never);
    return settle();
  };
  /** An interval in which ports sent these shares of a gigabit a second. */
  const interval = async (shares: Readonly<Record<number, number>>): Promise<void> => {
    for (const [n, of] of Object.entries(shares)) {
      const on = memory.teaming.pins[`p${n}@1`] === 'uplink2' ? 102 : 101;
      for (const [number, way] of [
        [Number(n), 'rx'],
        [on, 'tx'],
      ] as const) {
        const count = counts.get(number) ?? { rx: 0, tx: 0 };
        counts.set(number, { ...count, [way]: count[way] + of * BYTES });
      }
    }
    clock.advance(LOAD_FIGURES.intervalMs);
    await settle();
    await carried(Object.keys(shares).map(Number));
  };
  const begin = (ports: readonly number[]): Promise<void> => {
    for (const number of [...ports, 101, 102]) counts.set(number, { rx: 0, tx: 0 });
    return carried(ports);
  };
  return { service, memory, kicks, begin, interval, carried, counts };
}

/** Of a gigabit. */
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('ports that go by load', () => {
  it('stay while no uplink is over the threshold, and are moved one an interval while one is', async () => {
    const { memory, kicks, begin, interval, service } = world();
    await begin([1, 2, 3]);
    await interval({ 1: 0.3, 2: 0.25, 3: 0.2 });
    expect(memory.teaming.pins).toEqual({});
    await interval({ 1: 0.3, 2: 0.3, 3: 0.3 });
    expect(memory.teaming.pins).toEqual({ 'p1@1': 'uplink2' });
    expect(kicks).toHaveLength(1);
    await interval({ 1: 0.3, 2: 0.3, 3: 0.3 });
    expect(kicks).toHaveLength(1);
    expect(service.telemetry().loads).toEqual([
      { switch: 'lan', uplink: 'uplink1', speed: GIGABIT, sent: 0.6 * GIGABIT, received: 0, moved: [] },
      { switch: 'lan', uplink: 'uplink2', speed: GIGABIT, sent: 0.3 * GIGABIT, received: 0, moved: ['p1'] },
    ]);
  });

  it('rest where they were put, however the load swings', async () => {
    const { kicks, begin, interval } = world();
    await begin([1, 2]);
    // Whichever uplink has the busy port is full.
    for (let i = 0; i < LOAD_FIGURES.rest; i += 1)
      await interval(i % 2 === 0 ? { 1: 0.5, 2: 0.3 } : { 1: 0.95, 2: 0 });
    expect(kicks).toHaveLength(1);
  });

  it('go nowhere twice before they have rested, and one in an interval, whatever the load does', async () => {
    const shares = fc.record({ 1: share, 2: share, 3: share, 4: share });
    await fc.assert(
      fc.asyncProperty(fc.array(shares, { minLength: 3, maxLength: 15 }), async (intervals) => {
        const { memory, kicks, begin, interval } = world();
        await begin([1, 2, 3, 4]);
        const movedAt = new Map<string, number>();
        for (const [i, each] of intervals.entries()) {
          const before = memory.teaming.pins;
          await interval(each);
          const { pins } = memory.teaming;
          const moved = Object.keys(pins).filter((key) => pins[key] !== before[key]);
          expect(moved.length).toBeLessThanOrEqual(1);
          for (const key of moved) {
            expect(i - (movedAt.get(key) ?? -LOAD_FIGURES.rest)).toBeGreaterThanOrEqual(LOAD_FIGURES.rest);
            movedAt.set(key, i);
          }
        }
        expect(kicks.length).toBeLessThanOrEqual(intervals.length);
      }),
      { numRuns: 25 },
    );
  });

  it('are forgotten with their bindings', async () => {
    const { memory, begin, interval, carried, service } = world();
    await begin([1, 2]);
    await interval({ 1: 0.5, 2: 0.3 });
    expect(memory.teaming.pins).toEqual({ 'p1@1': 'uplink2' });
    await carried([2]);
    expect(memory.teaming.pins).toEqual({});
    await carried([2], { mode: 'port' });
    expect(service.telemetry()).toEqual({});
    await service.close();
  });

  it('are not put on an uplink that they would not go by', async () => {
    const { memory, begin, interval, carried } = world();
    await begin([1, 2]);
    memory.teaming = { ...memory.teaming, passedOver: { lan: ['uplink2'] } };
    await carried([1, 2], { failback: false });
    await interval({ 1: 0.5, 2: 0.4 });
    expect(memory.teaming.pins).toEqual({});
  });

  it('are not judged by counts that began anew', async () => {
    const { kicks, begin, interval, counts } = world();
    await begin([1, 2]);
    await interval({ 1: 0.3, 2: 0.3 });
    counts.set(101, { rx: 0, tx: 1 });
    await interval({});
    expect(kicks).toEqual([]);
  });
});
