import { goto } from './actions.js';
import { TABLES, type TableName } from './tables.js';
import { type Action } from '#openflow';
import { type BridgePlan, type PortPlan } from '../resolve/plan.js';

/**
 * Tables that a copy to a port may go through, in order. A port uses some of them: DISPATCH_OUT leads straight to its
 * first, and each of them to the next one that the port uses. So what a port has no use for costs no lookup, of which
 * a switch makes 4,096 for one frame, all copies together.
 */
export const OUT_STAGES = [
  'PVLAN_OUT',
  'FILTER_OUT',
  'SHAPE_OUT_PEAK',
  'SHAPE_OUT_AVERAGE',
  'LIMIT_OUT',
  'MIRROR_OUT',
  'SAMPLE_OUT',
] as const satisfies readonly TableName[];

export type OutStage = (typeof OUT_STAGES)[number];

/** Stages of a port as a bit set. */
export const stagesOf = (used: Iterable<OutStage>): number => {
  let bits = 0;
  for (const stage of used) bits |= 1 << OUT_STAGES.indexOf(stage);
  return bits;
};

export const uses = (stages: number, stage: OutStage): boolean =>
  (stages & (1 << OUT_STAGES.indexOf(stage))) !== 0;

/** Where a copy goes after a stage: the next one that its port uses, at the end OUTPUT. */
export function nextOut({ stages }: { readonly stages: number }, after: OutStage | 'DISPATCH_OUT'): Action {
  const from = after === 'DISPATCH_OUT' ? 0 : OUT_STAGES.indexOf(after) + 1;
  const next = OUT_STAGES.slice(from).find((stage) => uses(stages, stage));
  return goto(TABLES[next ?? 'OUTPUT']);
}

/** Where what a port sends goes after CLASSIFY, or after one of these tables, which few ports have use for. */
export function nextIn(port: Pick<PortPlan, 'mirrors' | 'sampled'>, after: 'CLASSIFY' | 'MIRROR_IN'): Action {
  if (after === 'CLASSIFY' && port.mirrors !== undefined && port.mirrors.in.length > 0)
    return goto(TABLES.MIRROR_IN);
  const isSampled = port.sampled?.internalOnly === false;
  return goto(isSampled ? TABLES.SAMPLE_IN : TABLES.SHAPE_IN_PEAK);
}

/** Where a frame from an uplink goes on, once its copies are made. */
export const afterUplink = ({ privateVlans }: Pick<BridgePlan, 'privateVlans'>): Action =>
  goto(privateVlans.length > 0 ? TABLES.PVLAN_IN : TABLES.TRAP);

/** One stage more, and what each copy looks up behind it. */
export const alsoUses = (stages: number, stage: OutStage, lookups: number): number =>
  (stages | stagesOf([stage])) + (lookups << LOOKUPS_SHIFT);

/** Stages, and beside them what a copy looks up behind their tables: bits that no stage has. */
export const withLookups = (stages: number, lookups: number): number => stages | (lookups << LOOKUPS_SHIFT);

const LOOKUPS_SHIFT = 16;
/** Lookups of each copy: DELIVER, ACTIVITY, DELIVER_GATE, DISPATCH_OUT, OUTPUT. */
const EACH_COPY = 5;

/** Tables that one copy to a port with these stages goes through. */
export function lookupsOf(stages: number): number {
  const used = OUT_STAGES.filter((stage) => uses(stages, stage)).length;
  return EACH_COPY + used + (stages >>> LOOKUPS_SHIFT);
}
