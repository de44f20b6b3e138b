import { describe, expect, it } from '@jest/globals';
import { defaultPolicy } from '#domain/on-host';
import { lookupsOf, stagesOf } from '../pipeline/stages.js';
import { MAX_COPIES, MAX_COPY_LOOKUPS, refuseConflicts } from './conflicts.js';
import { type PortPlan } from './plan.js';

const RULED = stagesOf(['FILTER_OUT']);
const plan = (n: number, stages: number, vlan: number): PortPlan =>
  ({
    port: `p${n}`,
    mac: BigInt(n),
    life: 'owner',
    ranges: [{ from: vlan, to: vlan }],
    stages,
    policy: defaultPolicy([]),
  }) as unknown as PortPlan;

const refused = (plans: readonly PortPlan[]): string[] =>
  refuseConflicts(plans.map((p) => ({ plan: p }))).flatMap(({ refusal }) =>
    refusal === undefined ? [] : [refusal.code],
  );
const many = (count: number, stages: number, vlan = (_n: number): number => 100): PortPlan[] =>
  Array.from({ length: count }, (_, i) => plan(i + 1, stages, vlan(i)));

describe('a segment', () => {
  it('is full when the copies of one frame go through as many tables as a frame may', () => {
    for (const stages of [0, RULED]) {
      const fit = Math.floor(MAX_COPY_LOOKUPS / lookupsOf(stages));
      expect(fit).toBeLessThanOrEqual(MAX_COPIES);
      expect(refused(many(fit, stages))).toEqual([]);
      expect(refused(many(fit + 2, stages))).toEqual(['segment-full', 'segment-full']);
    }
  });

  it('leaves room for a port that uses less, where there is none for one that uses more', () => {
    const fit = Math.floor((MAX_COPY_LOOKUPS - lookupsOf(0)) / lookupsOf(RULED));
    const plans = [...many(fit, RULED), plan(9_001, RULED, 100), plan(9_002, 0, 100)];
    expect(refused(plans)).toEqual(['segment-full']);
  });

  it('counts its own ports only', () => {
    expect(refused(many(2_000, RULED, (i) => 100 + (i % 5)))).toEqual([]);
  });
});
