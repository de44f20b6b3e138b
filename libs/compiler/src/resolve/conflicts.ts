import { lookupsOf } from '../pipeline/stages.js';
import { type ResolvedPort } from './ports.js';
import { type PortPlan } from './plan.js';

/**
 * Tables that all copies of one frame go through, together. The switch gives a frame up, copies that it has made
 * included, after 4,096; the rest is for what the frame goes through itself.
 */
export const MAX_COPY_LOOKUPS = 3_900;
/** Copies that one flow can list: each is 72 bytes of a message that has at most 65,535. */
export const MAX_COPIES = 850;

/**
 * Takes out ports that can't stand beside another: a MAC twice in one segment, or more receivers in a
 * segment than one frame can reach. The port with the lower number stays; the centre prevents both, an attach without it may not.
 */
export function refuseConflicts(resolved: readonly ResolvedPort[]): ResolvedPort[] {
  const kept: PortPlan[] = [];
  const byMac = new Map<bigint, PortPlan[]>();
  let lookups = 0;
  return resolved.map((entry) => {
    const { plan } = entry;
    if (plan === undefined || entry.refusal !== undefined || plan.life === 'closed') return entry;
    const alike = byMac.get(plan.mac);
    const twin = alike?.find((other) => shareSegment(other, plan));
    if (twin !== undefined) {
      const reason = `port ${twin.port} has the same MAC in the same segment`;
      return { plan: close(plan), refusal: { code: 'mac-conflict', reason } };
    }
    lookups += lookupsOf(plan.stages);
    const others = mayBeFull(kept, lookups) ? kept.filter((other) => shareSegment(other, plan)) : [];
    const needed = [...others, plan].reduce((sum, { stages }) => sum + lookupsOf(stages), 0);
    if (needed > MAX_COPY_LOOKUPS || others.length >= MAX_COPIES) {
      const reason = `${others.length} ports of this host are in its segment already: more than one frame can reach`;
      lookups -= lookupsOf(plan.stages);
      return { plan: close(plan), refusal: { code: 'segment-full', reason } };
    }
    kept.push(plan);
    if (alike === undefined) byMac.set(plan.mac, [plan]);
    else alike.push(plan);
    return entry;
  });
}

const close = (plan: PortPlan): PortPlan => ({ ...plan, life: 'closed', ranges: [], stages: 0 });

/** No segment is full before all of them together would be. */
const mayBeFull = (kept: readonly PortPlan[], lookups: number): boolean =>
  lookups > MAX_COPY_LOOKUPS || kept.length >= MAX_COPIES;

const shareSegment = (a: PortPlan, b: PortPlan): boolean =>
  a.ranges.some((x) => b.ranges.some((y) => x.from <= y.to && y.from <= x.to));
