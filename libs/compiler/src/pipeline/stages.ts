import { type Bandwidth, type Policy } from '#domain';
import { ofUplink } from '../resolve/mirrors.js';
import { goto, output } from './actions.js';
import { TABLES, type TableName } from './tables.js';
import { type Action } from '#openflow';
import { type BridgePlan, type PortPlan, type UplinkPlan } from '../resolve/plan.js';

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
export function nextIn(port: PortPlan, after: 'CLASSIFY' | InStage): Action {
  const from = after === 'CLASSIFY' ? 0 : IN_STAGES.indexOf(after) + 1;
  const next = IN_STAGES.slice(from).find((stage) => usesIn(port, stage));
  return goto(TABLES[next ?? 'SHAPE_IN_PEAK']);
}

const IN_STAGES = ['MIRROR_IN', 'SAMPLE_IN', 'LIMIT_IN'] as const;
type InStage = (typeof IN_STAGES)[number];

function usesIn({ mirrors, sampled, policy }: PortPlan, stage: InStage): boolean {
  switch (stage) {
    case 'MIRROR_IN':
      return mirrors !== undefined && mirrors.in.length > 0;
    case 'SAMPLE_IN':
      return sampled?.internalOnly === false;
    case 'LIMIT_IN':
      return isLimited(policy.bandwidth);
  }
}

export const isLimited = (bandwidth: Policy['bandwidth']): bandwidth is Bandwidth & { limit: number } =>
  bandwidth !== null && bandwidth.limit !== null;

/** Where a frame from an uplink goes on, once its copies are made. */
export function afterUplink(
  bridge: Pick<BridgePlan, 'privateVlans' | 'heard'>,
  uplink: UplinkPlan,
): readonly Action[] {
  if (bridge.heard.length > 0) return [goto(TABLES.UPLINK_IN)];
  return isLeftOut(uplink) ? [] : [pastUplinkIn(bridge)];
}

/**
 * Whether LACP leaves it out of its bundle: it brings nothing either, since what the other end floods comes by each link
 * that is none of a bundle.
 */
export const isLeftOut = ({ lag }: UplinkPlan): boolean => lag?.bundled === false;

/** Where it goes on if the host itself does not take it. */
export const pastUplinkIn = ({ privateVlans }: Pick<BridgePlan, 'privateVlans'>): Action =>
  goto(privateVlans.length > 0 ? TABLES.PVLAN_IN : TABLES.TRAP);

/** Where a frame goes on that leaves by an uplink: past the tables that the bridge has no use for. */
export function nextUp(
  bridge: Pick<BridgePlan, 'classLimits' | 'mirrors'>,
  { name, ofport }: UplinkPlan,
  after: 'CHOSEN' | 'CLASS_UP',
): Action {
  if (after === 'CHOSEN' && bridge.classLimits.length > 0) return goto(TABLES.CLASS_UP);
  return ofUplink(bridge, name, 'out').length > 0 ? goto(TABLES.UPLINK_OUT) : output(ofport);
}

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
