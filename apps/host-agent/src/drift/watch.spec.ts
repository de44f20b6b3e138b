import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Fact } from '#domain';
import { ManualClock } from '../agent.fixture.js';
import { DriftWatch } from './watch.js';

const drifted = (field: string, object = 'bridge/b') => [
  { object, differences: [{ field, expected: 'x', found: 'absent' }] },
];

describe('drift as facts', () => {
  let clock: ManualClock;
  let facts: Fact[];
  let watch: DriftWatch;

  beforeEach(() => {
    clock = new ManualClock();
    facts = [];
    watch = new DriftWatch(clock, (fact) => facts.push(fact));
  });

  const once = (field: string, stood = 10): void => {
    const since = clock.monotonic();
    watch.seen(drifted(field), since);
    clock.advance(stood);
    watch.repaired();
  };

  it('tells what differed, and how long it stood, when it is repaired', () => {
    watch.seen(drifted('flow A'), clock.monotonic() - 5);
    expect(facts).toEqual([]);
    watch.repaired();
    expect(facts).toEqual([
      {
        type: 'Drift',
        object: 'bridge/b',
        differences: [{ field: 'flow A', expected: 'x', found: 'absent' }],
        repaired: true,
        durationMs: 5,
      },
    ]);
    watch.repaired();
    expect(facts).toHaveLength(1);
  });

  it('sums a storm up in one fact', () => {
    once('flow A');
    for (const field of ['flow A', 'flow B', 'flow A']) once(field);
    expect(facts).toHaveLength(1);
    clock.advance(5_000);
    expect(facts).toHaveLength(2);
    expect(facts[1]).toMatchObject({
      durationMs: 30,
      differences: [{ field: 'flow A' }, { field: 'flow B' }, { field: 'times', found: '3' }],
    });
    clock.advance(60_000);
    expect(facts).toHaveLength(2);
  });

  it('tells of each object by itself, and of the first fifty differences by name', () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ field: `flow ${i}`, expected: 'x', found: 'y' }));
    watch.seen([{ object: 'bridge/a', differences: many }, ...drifted('flow A')], clock.monotonic());
    watch.repaired();
    expect(facts).toHaveLength(2);
    const [first] = facts;
    expect(first?.type === 'Drift' ? first.differences.at(-1) : null).toEqual({
      field: 'further differences',
      expected: '0',
      found: '10',
    });
  });

  it('keeps nothing back at the end', () => {
    once('flow A');
    once('flow B');
    watch.close();
    expect(facts).toHaveLength(2);
  });
});
