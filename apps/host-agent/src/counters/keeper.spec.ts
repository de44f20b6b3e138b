import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Epoch, type PortId } from '#kernel';
import { type Fact } from '#domain';
import { type MeterStats } from '#openflow';
import { ManualClock } from '../agent.fixture.js';
import { type BindingKey, type Incarnation } from '../state/memory.js';
import { CounterKeeper, type CountedBinding } from './keeper.js';

const METERS = {
  in: { unicast: 16, multicast: 17, broadcast: 18 },
  out: { unicast: 19, multicast: 20, broadcast: 21 },
};
const binding = (role: CountedBinding['role'] = 'active'): CountedBinding => ({
  port: 'p1' as PortId,
  epoch: 1 as Epoch,
  role,
  bridge: 'b',
  meters: METERS,
});
const KEY = 'p1@1' as BindingKey;

describe('the keeper of counters', () => {
  let facts: (Fact | 'saved')[];
  let count: number;
  let age: number;
  let incarnations: Map<BindingKey, Incarnation>;
  let during: () => void;
  let ids: number;

  beforeEach(() => {
    facts = [];
    count = 0;
    age = 0;
    ids = 0;
    incarnations = new Map();
    during = () => undefined;
  });

  const keeper = (): CounterKeeper =>
    new CounterKeeper({
      driver: {
        meterStats: (_bridge, wanted) => {
          const stats = wanted.map((id): MeterStats => ({
            id,
            packetsIn: BigInt(count),
            bytesIn: BigInt(count * 60),
            durationMs: age,
            dropped: { packets: 0n, bytes: 0n },
          }));
          during();
          return Promise.resolve(stats);
        },
      },
      clock: new ManualClock(),
      ids: { next: () => `i${(ids += 1)}` },
      record: (fact) => facts.push(fact),
      incarnations,
      save: () => {
        facts.push('saved');
        return Promise.resolve();
      },
    });
  const told = (): string[] =>
    facts.map((f) => (f === 'saved' ? f : `${f.type} ${'incarnation' in f ? f.incarnation : ''}`));

  it('has an incarnation on disk before it tells of it', async () => {
    await keeper().installed([binding()], new Set([KEY]));
    expect(told().slice(0, 2)).toEqual(['saved', 'SegmentOpened i1']);
  });

  it('knows by the disk that meters are about to be made anew: whoever dies over it can tell them apart', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    count = 10;
    age = 1_000;
    await k.sample();
    facts = [];
    await k.making(new Set([KEY]));
    expect(told()).toEqual(['SegmentClosed i1', 'saved']);
    // Killed in the middle of the plan. The meters that it made have counted more than the earlier ones, for longer.
    facts = [];
    count = 20;
    age = 2_000;
    const next = keeper();
    await next.installed([binding()], new Set());
    // On disk it is already.
    expect(told()).toEqual(['SegmentOpened i2']);
    expect((await next.sample()).map(({ incarnation }) => incarnation)).toEqual(['i2']);
  });

  it('tells a final value again after a boot, too, that had the meters made anew: the log came back older', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    await k.installed([binding('retired')], new Set());
    facts = [];
    const next = keeper();
    await next.installed([binding('retired')], new Set([KEY]));
    await next.installed([binding('retired')], new Set());
    expect(told()).toEqual(['SegmentOpened i1', 'SegmentClosed i1']);
  });

  it('goes on, in a segment of its own, where a binding is held again that was handed in: the log came back older', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    count = 10;
    age = 1_000;
    await k.installed([binding('retired')], new Set());
    facts = [];
    k.tellAgain();
    await k.installed([binding()], new Set());
    expect(told()).toEqual(['SegmentOpened i1', 'SegmentClosed i1', 'saved', 'SegmentOpened i2']);
    const [, closed, , opened] = facts;
    expect(opened).toMatchObject({ raw: (closed as { raw: unknown }).raw });
    count = 25;
    age = 2_000;
    facts = [];
    await k.installed([binding('retired')], new Set());
    expect(told()).toEqual(['SegmentClosed i2', 'saved']);
    // Told again it is what it was: from where it went on, not from nothing.
    facts = [];
    await keeper().installed([binding('retired')], new Set());
    expect(facts[0]).toEqual({ ...(opened as Fact) });
  });

  it('ends what was counted before once, however often the plan is tried', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    facts = [];
    await k.making(new Set([KEY]));
    await k.making(new Set([KEY]));
    await k.installed([binding()], new Set([KEY]));
    await k.installed([binding()], new Set());
    expect(told()).toEqual(['SegmentClosed i1', 'saved', 'saved', 'SegmentOpened i2']);
  });

  it('does not trouble the disk for a plan that changes no incarnation', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    facts = [];
    await k.installed([binding()], new Set());
    expect(facts).toEqual([]);
    await k.installed([binding('retired')], new Set());
    expect(told()).toEqual(['SegmentClosed i1', 'saved']);
    await k.installed([], new Set());
    expect(told().at(-1)).toBe('saved');
  });

  it('ends an incarnation at its last value when the meters were made anew, and says so', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    [count, age] = [7, 10_000];
    await k.sample();
    [count, age] = [2, 10];
    expect(await k.sample()).toMatchObject([{ incarnation: 'i2', raw: { in: { unicast: { packets: 2 } } } }]);
    const closed = facts.find((f) => f !== 'saved' && f.type === 'SegmentClosed');
    expect(closed).toMatchObject({
      incarnation: 'i1',
      raw: { in: { unicast: { packets: 7 } } },
      inexact: { reason: 'the meters were made anew' },
    });
    expect(told().filter((t) => t.startsWith('Segment'))).toEqual([
      'SegmentOpened i1',
      'SegmentClosed i1',
      'SegmentOpened i2',
    ]);
  });

  it('reads nothing while a plan is under way, and drops a reading that a plan overtook', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    [count, age] = [7, 10_000];
    await k.sample();
    [count, age] = [9, 11_000];
    expect(await k.sample(true)).toMatchObject([
      { incarnation: 'i1', raw: { in: { unicast: { packets: 7 } } } },
    ]);
    let overtaken: Promise<void> = Promise.resolve();
    during = () => {
      during = () => undefined;
      overtaken = k.installed([binding()], new Set([KEY]));
    };
    expect(await k.sample()).toMatchObject([{ incarnation: 'i2', raw: { in: { unicast: { packets: 0 } } } }]);
    await overtaken;
  });

  it('closes exactly once, at the final value', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    [count, age] = [7, 10_000];
    await k.installed([binding('retired')], new Set());
    await k.installed([binding('retired')], new Set());
    expect(await k.sample()).toEqual([]);
    const closed = facts.filter((f) => f !== 'saved' && f.type === 'SegmentClosed');
    expect(closed).toMatchObject([{ incarnation: 'i1', raw: { in: { unicast: { packets: 7 } } } }]);
    expect(incarnations.get(KEY)?.closed).toBe(true);
    await k.installed([], new Set());
    expect(incarnations.size).toBe(0);
  });

  it('tells again after a restart what an earlier run may have died with', async () => {
    const k = keeper();
    await k.installed([binding()], new Set([KEY]));
    await k.installed([binding('retired')], new Set());
    facts = [];
    await keeper().installed([binding('retired')], new Set());
    expect(told().filter((t) => t !== 'saved')).toEqual(['SegmentOpened i1', 'SegmentClosed i1']);
  });
});
