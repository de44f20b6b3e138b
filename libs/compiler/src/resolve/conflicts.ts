import { sameItems } from '#kernel';
import { lookupsOf } from '../pipeline/stages.js';
import { ownMacs, sharedMacs } from './macs.js';
import { shut, type ResolvedPort } from './ports.js';
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
  const standing = new Neighbours();
  const byMac = new Map<bigint, Holder[]>();
  const teams = new Map<number, TeamPlan>();
  return resolved.map((entry) => {
    const { plan } = entry;
    if (plan === undefined || entry.refusal !== undefined || plan.life === 'closed') return entry;
    const macs = macsOf(plan);
    const twin = twinOf(macs, byMac);
    if (twin !== undefined) {
      const reason = `port ${twin.plan.port} has the same MAC in the same segment`;
      return shut(plan, { code: 'mac-conflict', reason });
    }
    const { team } = plan;
    const namesake = team === undefined ? undefined : teams.get(team.id);
    if (team !== undefined && namesake !== undefined && !sameItems(team.uplinks, namesake.uplinks)) {
      const reason = `its order of uplinks comes to the same number as another: ${team.id}`;
      return shut(plan, { code: 'team-collision', reason });
    }
    const others = standing.of(plan);
    if (others.lookups + lookupsOf(plan.stages) > MAX_COPY_LOOKUPS || others.ports >= MAX_COPIES) {
      const reason = `${others.ports} ports of this host are in its segment already: more than one frame can reach`;
      return shut(plan, { code: 'segment-full', reason });
    }
    standing.add(plan);
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

/** Ports, and how many lookups a frame to all of them takes. */
interface Crowd {
  readonly ports: number;
  readonly lookups: number;
}

const NOBODY: Crowd = { ports: 0, lookups: 0 };

const joined = (crowd: Crowd, plan: PortPlan): Crowd => ({
  ports: crowd.ports + 1,
  lookups: crowd.lookups + lookupsOf(plan.stages),
});

/** Who shares a segment with whom: most ports have one segment, and hundreds have it in common. */
class Neighbours {
  readonly #bySegment = new Map<number, Crowd>();
  readonly #ofSeveral: PortPlan[] = [];
  readonly #all: PortPlan[] = [];

  add(plan: PortPlan): void {
    this.#all.push(plan);
    const segment = onlySegment(plan);
    if (segment === null) this.#ofSeveral.push(plan);
    else this.#bySegment.set(segment, joined(this.#bySegment.get(segment) ?? NOBODY, plan));
  }

  of(plan: PortPlan): Crowd {
    const segment = onlySegment(plan);
    const alone = segment === null ? NOBODY : (this.#bySegment.get(segment) ?? NOBODY);
    const rest = segment === null ? this.#all : this.#ofSeveral;
    return rest.filter((other) => shareSegment(other, plan)).reduce(joined, alone);
  }
}

function onlySegment({ ranges }: PortPlan): number | null {
  const [range] = ranges;
  return ranges.length === 1 && range?.from === range?.to ? (range?.from ?? null) : null;
}

const shareSegment = (a: PortPlan, b: PortPlan): boolean =>
  a.ranges.some((x) => b.ranges.some((y) => x.from <= y.to && y.from <= x.to));
