import { type Shaping } from '#domain';
import { type Meter } from '#openflow';
import { goto, match, meter } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { shapingMeter, type ShapingMeter } from '../meters.js';
import { type PortPlan } from '../resolve/plan.js';

/** Payload and header of the largest frame, in bytes: a bucket that holds less passes nothing. */
const HEADER = 22;
/** What a peak may take at once: 10 ms of it. */
const PEAK_BURST_MS = 10;
const MAX_RATE = 0xffff_fffe;

/** Table, meter and the table after, by direction: a flow takes one meter, so each has its own table. */
const CHAIN = {
  in: [
    ['peak', TABLES.SHAPE_IN_PEAK, 'inPeak', TABLES.SHAPE_IN_AVERAGE],
    ['average', TABLES.SHAPE_IN_AVERAGE, 'inAverage', TABLES.GUARD_IN],
  ],
  out: [
    ['peak', TABLES.SHAPE_OUT_PEAK, 'outPeak', TABLES.SHAPE_OUT_AVERAGE],
    ['average', TABLES.SHAPE_OUT_AVERAGE, 'outAverage', TABLES.OUTPUT],
  ],
} as const;

/** Policing by two meters in series: the peak first, so that what it drops takes nothing from the average. */
export const shaping: Feature = {
  name: 'shaping',
  bridge: (_bridge, out) => {
    for (const [, table, , next] of [...CHAIN.in, ...CHAIN.out]) out.flow(table, 0, {}, [goto(next)]);
  },
  port: (port, out, bridge) => {
    shape(port, 'in', port.policy.shapingIn, bridge.mtu, out);
    shape(port, 'out', port.policy.shapingOut, bridge.mtu, out);
  },
};

function shape(
  port: PortPlan,
  direction: 'in' | 'out',
  policy: Shaping | null,
  mtu: number,
  out: Emitter,
): void {
  if (policy === null) return;
  const register = direction === 'in' ? REG.from : REG.to;
  for (const [level, table, which, next] of CHAIN[direction]) {
    if (level === 'peak' && policy.peak <= policy.average) continue;
    const id = shapingMeter(port.slot, which);
    out.meter(policer(id, policy, level, mtu));
    out.flow(table, 100, match({ [register]: port.slot }), [meter(id), goto(next)], port.slot);
  }
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
