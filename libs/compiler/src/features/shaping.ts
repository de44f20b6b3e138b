import { type Shaping } from '#domain';
import { type Meter } from '#openflow';
import { goto, match, meter } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { nextOut, type OutStage } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { shapingMeter, type ShapingMeter } from '../meters.js';
import { type PortPlan } from '../resolve/plan.js';

/** Payload and header of the largest frame, in bytes: a bucket that holds less passes nothing. */
const HEADER = 22;
/** What a peak may take at once: 10 ms of it. */
const PEAK_BURST_MS = 10;
const MAX_RATE = 0xffff_fffe;

/** Level, table, meter and the table after: a flow takes one meter, so each has its own table. */
const IN = [
  ['peak', TABLES.SHAPE_IN_PEAK, 'inPeak', TABLES.SHAPE_IN_AVERAGE],
  ['average', TABLES.SHAPE_IN_AVERAGE, 'inAverage', TABLES.GUARD_IN],
] as const;
const OUT = [
  ['peak', 'SHAPE_OUT_PEAK', 'outPeak'],
  ['average', 'SHAPE_OUT_AVERAGE', 'outAverage'],
] as const;

/** Policing by two meters in series: the peak first, so that what it drops takes nothing from the average. */
export const shaping: Feature = {
  name: 'shaping',
  bridge: (_bridge, out) => {
    for (const [, table, , next] of IN) out.flow(table, 0, {}, [goto(next)]);
  },
  port: (port, out, bridge) => {
    const { slot, policy } = port;
    const from = match({ [REG.from]: slot });
    for (const [level, table, which, next] of IN) {
      const id = made(slot, which, policy.shapingIn, level, bridge.mtu, out);
      if (id !== null) out.flow(table, 100, from, [meter(id), goto(next)], slot);
    }
    const to = match({ [REG.to]: slot });
    for (const [level, stage, which] of OUT) {
      const id = made(slot, which, policy.shapingOut, level, bridge.mtu, out);
      if (id !== null) out.flow(TABLES[stage], 100, to, [meter(id), nextOut(port, stage)], slot);
    }
  },
};

/** Out-tables of a port that is shaped so. */
export const shapingStages = (policy: Shaping | null): OutStage[] =>
  OUT.flatMap(([level, stage]) => (needs(policy, level) ? [stage] : []));

/** A peak that is no more than the average says nothing of its own. */
const needs = (policy: Shaping | null, level: 'peak' | 'average'): policy is Shaping =>
  policy !== null && (level === 'average' || policy.peak > policy.average);

/** The meter of a level, where there is one. */
function made(
  slot: number,
  which: ShapingMeter,
  policy: Shaping | null,
  level: 'peak' | 'average',
  mtu: number,
  out: Emitter,
): number | null {
  if (!needs(policy, level)) return null;
  const id = shapingMeter(slot, which);
  out.meter(policer(id, policy, level, mtu));
  return id;
}

/** Rates in bit/s → kbit/s, burst in bytes → kbit; never so small a bucket that it can't refill. */
export function policer(id: number, policy: Shaping, level: 'peak' | 'average', mtu: number): Meter {
  const bits = level === 'peak' ? policy.peak : policy.average;
  const wanted = level === 'peak' ? (bits * PEAK_BURST_MS) / 1000 : policy.burst * 8;
  const least = Math.max(bits / 1000, (mtu + HEADER) * 8);
  const kilo = (n: number) => Math.min(MAX_RATE, Math.max(1, Math.ceil(n / 1000)));
  return { id, unit: 'kbps', rate: kilo(bits), burst: kilo(Math.max(wanted, least)) };
}

/** The shaping meters that a port has, for reading what they dropped. */
export function shapingMeters({ slot, policy, life }: PortPlan): number[] {
  if (life === 'closed') return [];
  const of = (policyOf: Shaping | null, peak: ShapingMeter, average: ShapingMeter): number[] => {
    if (policyOf === null) return [];
    const ids = policyOf.peak > policyOf.average ? [peak, average] : [average];
    return ids.map((which) => shapingMeter(slot, which));
  };
  return [...of(policy.shapingIn, 'inPeak', 'inAverage'), ...of(policy.shapingOut, 'outPeak', 'outAverage')];
}
