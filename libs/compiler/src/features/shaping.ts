import { type Shaping } from '#domain';
import { type Meter } from '#openflow';
import { goto, match, meter } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { nextOut, type OutStage } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { bucket, shapingMeter, type ShapingMeter } from '../meters.js';

/** What a peak may take at once: 10 ms of it. */
const PEAK_BURST_MS = 10;

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

/** Rates in bit/s, burst in bytes. */
export function policer(id: number, policy: Shaping, level: 'peak' | 'average', mtu: number): Meter {
  const bits = level === 'peak' ? policy.peak : policy.average;
  const wanted = level === 'peak' ? (bits * PEAK_BURST_MS) / 1000 : policy.burst * 8;
  return bucket(id, bits, wanted, mtu);
}
