import { type Action } from '#openflow';
import { bitsAre, goto, match, MULTICAST, setBits, toAgent } from '../../pipeline/actions.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature, type Part } from '../../pipeline/feature.js';
import { FLAG, REG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { HOST_METERS, portMeter } from '../../meters.js';
import { isPlugged, type PortPlan } from '../../resolve/plan.js';
import { type MulticastFacts } from '../../types.js';
import { spread, spreadIn, type Receiver } from '../spread.js';
import { CONTROL, GROUP_FRAMES, QUERIES, REPORTS, toGroup } from './addresses.js';

/** Whole frames: their checksums are looked at. */
const WHOLE = 65_535;
/** Frames a second of one port that the agent hears, and at once: a guest that starts joins all its groups. */
const TOLD = { unit: 'pktps', rate: 30, burst: 100 } as const;

/** Priorities in MCAST; frames of uplinks have ten more. */
export const AT = { query: 400, report: 300, group: 200, unknown: 100 } as const;
/** In FLOOD_IN, above what goes to everybody. */
const INNER = 120;

/** Whom FLOOD_IN is to reach. */
const MULTICAST_TO = { group: 1, routers: 2 } as const;

/**
 * Multicast goes to those who joined the group. What says so (IGMP, MLD) goes to the agent as well, bounded for each
 * port, and comes back as facts. Groups of the link and questions go to everybody; reports, and frames for groups that
 * nobody joined, to routers and the uplink only. A port that was not asked yet, and one that listens to everything, get
 * all groups. What is not IP is not filtered.
 */
export const multicast: Feature = {
  name: 'multicast',
  parts: ({ multicast: facts, ports: all }) => {
    if (facts === undefined) return [];
    const ports = all.filter(isPlugged);
    const everything = listeners(ports, facts);
    return [
      { key: 'way', of: '', write: way },
      ...ports.map(({ slot }) => told(slot)),
      toAll(ports),
      toRouters(everything),
      ...groups(ports, facts, everything),
    ];
  },
};

/** To the agent, and on to where it would go anyway. */
const tell = (slot: number, meter: number): Action[] => [
  toAgent({ kind: 'membership', slot, epoch: 0 }, { maxLen: WHOLE, meter }),
  goto(TABLES.MCAST),
];

function way(out: Emitter): void {
  const own = HOST_METERS.membership.from;
  out.meter({ id: own, ...TOLD });
  for (const fields of CONTROL)
    out.flow(TABLES.FORWARD, 300, match({ ...fields, [REG.from]: 0, eth_dst: MULTICAST }), tell(0, own));
  for (const fields of GROUP_FRAMES)
    out.flow(TABLES.FORWARD, 170, match({ ...fields, eth_dst: MULTICAST }), [goto(TABLES.MCAST)]);
  // Where there is nobody: out by the uplink, or nowhere.
  for (const [fields, priority] of [...REPORTS.map((f) => [f, AT.report - 20] as const), [{}, 0] as const]) {
    out.flow(TABLES.MCAST, priority, match(fields), [goto(TABLES.TO_PNIC)]);
    out.flow(TABLES.MCAST, priority + 10, match({ ...fields, [REG.from]: 0 }), []);
  }
}

const told = (slot: number): Part => ({
  key: `of ${slot}`,
  of: '',
  write: (out) => {
    const own = portMeter(slot, 'membership');
    out.meter({ id: own, ...TOLD });
    for (const fields of CONTROL) {
      const from = match({ ...fields, [REG.from]: slot, eth_dst: MULTICAST });
      out.flow(TABLES.FORWARD, 300, from, tell(slot, own), slot);
    }
  },
});

/** Who gets every group: for a router, in its segment only. */
function listeners(ports: readonly PortPlan[], { settled, routers }: MulticastFacts): readonly Receiver[] {
  const asked = new Set(settled);
  return ports.flatMap((port): Receiver[] => {
    const { slot, ranges, policy } = port;
    if (policy.promiscuous || !asked.has(slot)) return [{ port, ranges }];
    const own = routers.filter((r) => r.slot === slot && takesPart(port, r.segment));
    if (own.length === 0) return [];
    return [{ port, ranges: own.map(({ segment }) => ({ from: segment, to: segment })) }];
  });
}

const takesPart = ({ ranges }: Pick<Receiver, 'ranges'>, segment: number): boolean =>
  ranges.some(({ from, to }) => from <= segment && segment <= to);

/** Of uplinks, by the flows that flood. */
function toAll(ports: readonly PortPlan[]): Part {
  const receivers = ports.map((port) => ({ port, ranges: port.ranges }));
  return part('all', receivers, (out) => {
    for (const fields of QUERIES) spread(receivers, { table: TABLES.MCAST, priority: AT.query, fields }, out);
  });
}

function toRouters(receivers: readonly Receiver[]): Part {
  return part('routers', receivers, (out) => {
    const marks = [setBits(FLAG.multicast, MULTICAST_TO.routers)];
    const kind = { table: TABLES.MCAST, marks };
    for (const fields of REPORTS) spread(receivers, { ...kind, priority: AT.report, fields }, out);
    spread(receivers, { ...kind, priority: AT.unknown, fields: {} }, out);
    spreadIn(receivers, INNER, { [REG.flags]: bitsAre(FLAG.multicast, MULTICAST_TO.routers) }, out);
  });
}

function groups(
  ports: readonly PortPlan[],
  facts: MulticastFacts,
  everything: readonly Receiver[],
): readonly Part[] {
  const bySlot = new Map(ports.map((port) => [port.slot, port]));
  return facts.groups.flatMap(({ segment, group, slots }) => {
    const ranges = [{ from: segment, to: segment }];
    const always = everything.filter((r) => takesPart(r, segment)).map(({ port }) => port);
    const members = slots
      .flatMap((slot) => bySlot.get(slot) ?? [])
      .filter((port) => takesPart(port, segment) && !always.includes(port));
    if (members.length === 0) return [];
    const receivers = [...always, ...members]
      .sort((a, b) => a.slot - b.slot)
      .map((port) => ({ port, ranges }));
    const fields = toGroup(group);
    return part(`${segment} ${group.family} ${group.address.toString(16)}`, receivers, (out) => {
      const marks = [setBits(FLAG.multicast, MULTICAST_TO.group)];
      spread(receivers, { table: TABLES.MCAST, priority: AT.group, fields, marks }, out);
      const inner = { ...fields, [REG.flags]: bitsAre(FLAG.multicast, MULTICAST_TO.group) };
      spreadIn(receivers, INNER, inner, out);
    });
  });
}

const part = (key: string, receivers: readonly Receiver[], write: Part['write']): Part => ({
  key,
  of: receivers.map(({ port, ranges }) => `${port.slot} ${port.team?.id} ${JSON.stringify(ranges)}`).join(),
  write,
});
