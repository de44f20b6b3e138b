import { sameItems } from '#kernel';
import { lookupsOf } from '../pipeline/stages.js';
import { ownMacs, sharedMacs } from './macs.js';
import { type ResolvedPort } from './ports.js';
import { type PortPlan, type TeamPlan } from './plan.js';

/**
 * Tables that all copies of one frame go through, together. The switch gives a frame up, copies that it has made
 * included, after 4,096; the rest is for what the frame goes through itself.
 */
export const MAX_COPY_LOOKUPS = 3_900;
/** Copies that one flow can list: each is 72 bytes of a message that has at most 65,535. */
export const MAX_COPIES = 850;

/**
 * Takes out ports that can't stand beside another: a MAC twice in one segment, two orders of uplinks that come to
 * the same number, or more receivers in a segment than one frame can reach. The port with the lower number stays; the centre prevents both, an attach without it may not.
 */
export function refuseConflicts(resolved: readonly ResolvedPort[]): ResolvedPort[] {
  const kept: PortPlan[] = [];
  const byMac = new Map<bigint, Holder[]>();
  const teams = new Map<number, TeamPlan>();
  let lookups = 0;
  return resolved.map((entry) => {
    const { plan } = entry;
    if (plan === undefined || entry.refusal !== undefined || plan.life === 'closed') return entry;
    const macs = macsOf(plan);
    const twin = twinOf(macs, byMac);
    if (twin !== undefined) {
      const reason = `port ${twin.plan.port} has the same MAC in the same segment`;
      return { plan: close(plan), refusal: { code: 'mac-conflict', reason } };
    }
    const { team } = plan;
    const namesake = team === undefined ? undefined : teams.get(team.id);
    if (team !== undefined && namesake !== undefined && !sameItems(team.uplinks, namesake.uplinks)) {
      const reason = `its order of uplinks comes to the same number as another: ${team.id}`;
      return { plan: close(plan), refusal: { code: 'team-collision', reason } };
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
    if (team !== undefined) teams.set(team.id, team);
    for (const holder of macs) {
      const alike = byMac.get(holder.mac);
      if (alike === undefined) byMac.set(holder.mac, [holder]);
      else alike.push(holder);
    }
    return entry;
  });
}

interface Holder {
  readonly mac: bigint;
  readonly plan: PortPlan;
  readonly shared: boolean;
}

const macsOf = (plan: PortPlan): Holder[] => [
  ...ownMacs(plan).map((mac) => ({ mac, plan, shared: false })),
  ...sharedMacs(plan).map((mac) => ({ mac, plan, shared: true })),
];

/** Another port that has one of the MACs in the same segment, where not both share it. */
function twinOf(macs: readonly Holder[], byMac: ReadonlyMap<bigint, readonly Holder[]>): Holder | undefined {
  for (const { mac, plan, shared } of macs) {
    const found = byMac
      .get(mac)
      ?.find((other) => !(shared && other.shared) && shareSegment(other.plan, plan));
    if (found !== undefined) return found;
  }
  return undefined;
}

const close = (plan: PortPlan): PortPlan => ({ ...plan, life: 'closed', ranges: [], stages: 0 });

/** No segment is full before all of them together would be. */
const mayBeFull = (kept: readonly PortPlan[], lookups: number): boolean =>
  lookups > MAX_COPY_LOOKUPS || kept.length >= MAX_COPIES;

const shareSegment = (a: PortPlan, b: PortPlan): boolean =>
  a.ranges.some((x) => b.ranges.some((y) => x.from <= y.to && y.from <= x.to));
