import { type ResolvedPort } from './ports.js';
import { type PortPlan } from './plan.js';

/** Copies of one frame that a switch makes at most: its own limits on resubmits are not far above. */
export const MAX_SEGMENT_PORTS = 500;

/**
 * Takes out ports that can't stand beside another: a MAC twice in one segment, or one receiver too many in a
 * segment. The port with the lower number stays; the centre prevents both, an attach without it may not.
 */
export function refuseConflicts(resolved: readonly ResolvedPort[]): ResolvedPort[] {
  const kept: PortPlan[] = [];
  const byMac = new Map<bigint, PortPlan[]>();
  return resolved.map((entry) => {
    const { plan } = entry;
    if (plan === undefined || entry.refusal !== undefined || plan.life === 'closed') return entry;
    const alike = byMac.get(plan.mac);
    const twin = alike?.find((other) => shareSegment(other, plan));
    if (twin !== undefined) {
      const reason = `port ${twin.port} has the same MAC in the same segment`;
      return { plan: close(plan), refusal: { code: 'mac-conflict', reason } };
    }
    if (kept.length >= MAX_SEGMENT_PORTS && neighbours(kept, plan) >= MAX_SEGMENT_PORTS) {
      const reason = `${MAX_SEGMENT_PORTS} ports of this host are in its segment already`;
      return { plan: close(plan), refusal: { code: 'segment-full', reason } };
    }
    kept.push(plan);
    if (alike === undefined) byMac.set(plan.mac, [plan]);
    else alike.push(plan);
    return entry;
  });
}

const close = (plan: PortPlan): PortPlan => ({ ...plan, life: 'closed', ranges: [] });

const neighbours = (kept: readonly PortPlan[], plan: PortPlan): number =>
  kept.filter((other) => shareSegment(other, plan)).length;

const shareSegment = (a: PortPlan, b: PortPlan): boolean =>
  a.ranges.some((x) => b.ranges.some((y) => x.from <= y.to && y.from <= x.to));
