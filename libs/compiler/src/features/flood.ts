import { type Action } from '#openflow';
import { copyTo, goto, match, MULTICAST, resubmit, set, type Wanted } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { LOOKUP_KEY, REG } from '../pipeline/registers.js';
import { segmentMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';
import { regions } from '../ranges.js';
import { sharedMacs } from '../resolve/macs.js';
import { isPlugged, type SteadyPlan, type PortPlan, type TeamPlan } from '../resolve/plan.js';

type Port = PortPlan & { readonly ofport: number };

/**
 * Broadcast and multicast go to every port of the segment; unicast for nobody here to the ports that ask for it
 * (promiscuous; MAC changes, whose guest may listen to another MAC); unicast for a port here also to the promiscuous
 * ones; unicast for a shared MAC to all that share it, since any of them may be the one that uses it just now. Each
 * copy stands alone: see `copyTo`. From an uplink, only ports pinned to it: see `teaming`.
 */
export const flood: Feature = {
  name: 'flood',
  bridge: (bridge, out) => {
    const ports = bridge.ports.filter(isPlugged);
    const curious = ports.filter((p) => p.policy.promiscuous || p.policy.macChanges);
    copies(out);
    spread(bridge, ports, { table: TABLES.FORWARD, inner: 100, eth_dst: MULTICAST }, out);
    spread(bridge, curious, { table: TABLES.UNKNOWN, inner: 50 }, out);
    for (const mac of new Set(ports.flatMap(sharedMacs))) {
      const receivers = ports.filter((p) => curious.includes(p) || sharedMacs(p).includes(mac));
      spread(bridge, receivers, { table: TABLES.FORWARD, inner: 100, eth_dst: mac }, out);
    }
    snoop(
      ports.filter((p) => p.policy.promiscuous),
      out,
    );
  },
};

/** One copy: it reaches its port if that is active here. */
function copies(out: Emitter): void {
  const key: Action = { kind: 'move', src: { ...LOOKUP_KEY, field: REG.to }, dst: LOOKUP_KEY };
  const ask = [key, set(REG.active, 0), resubmit(TABLES.ACTIVITY), goto(TABLES.DELIVER_GATE)];
  out.flow(TABLES.DELIVER, 0, {}, ask);
  out.flow(TABLES.DELIVER_GATE, 100, match({ [REG.active]: { value: 1, mask: 1 } }), [
    goto(TABLES.DISPATCH_OUT),
  ]);
}

interface Kind {
  readonly table: number;
  /** Priority in FLOOD_IN. */
  readonly inner: number;
  readonly eth_dst?: Wanted;
}

/** Flows that list all receivers of a segment, for frames of local ports and for those of uplinks. */
function spread(bridge: SteadyPlan, receivers: readonly Port[], kind: Kind, out: Emitter): void {
  const dst = kind.eth_dst === undefined ? {} : { eth_dst: kind.eth_dst };
  const senders = bridge.ports.filter(isPlugged);
  for (const { ranges, members } of regions(receivers, (p) => p.ranges)) {
    const teams = bridge.teams.filter((team) => members.some((m) => m.team?.id === team.id));
    for (const segment of segmentMatches(ranges)) {
      const fields = { [REG.segment]: segment, ...dst };
      if (senders.length > 1) {
        const all = [...members.map((m) => copyTo(m.slot)), goto(TABLES.TO_PNIC)];
        out.flow(kind.table, 150, match(fields), all);
      }
      if (teams.length === 0) continue;
      out.flow(kind.table, 160, match({ ...fields, [REG.from]: 0 }), teams.flatMap(askTeam));
      for (const team of teams) fromUplink(team, members, fields, kind.inner, out);
    }
  }
}

/** Whether the frame came by the uplink that the team's ports take frames from. */
const askTeam = ({ id, kind }: TeamPlan): Action[] => [
  set(REG.team, id),
  kind === 'order' ? { kind: 'group', group: id } : resubmit(TABLES.CHOSEN),
];

function fromUplink(
  team: TeamPlan,
  members: readonly Port[],
  fields: Readonly<Record<string, Wanted>>,
  priority: number,
  out: Emitter,
): void {
  const own = members.filter((m) => m.team?.id === team.id);
  const pinned = match({ ...fields, [REG.team]: team.id });
  out.flow(
    TABLES.FLOOD_IN,
    priority,
    pinned,
    own.map((m) => copyTo(m.slot)),
    team.id,
  );
}

/** A frame for a port that is active here: first the copies, then the port; the one it is for gets one only. */
function snoop(promiscuous: readonly Port[], out: Emitter): void {
  const deliver = goto(TABLES.DISPATCH_OUT);
  out.flow(TABLES.SNOOP, 0, {}, [deliver]);
  for (const { ranges, members } of regions(promiscuous, (p) => p.ranges)) {
    for (const segment of segmentMatches(ranges)) {
      const fields = { [REG.segment]: segment };
      out.flow(TABLES.SNOOP, 100, match(fields), [...members.map((m) => copyTo(m.slot)), deliver]);
      for (const own of members) {
        const others = members.filter((m) => m !== own).map((m) => copyTo(m.slot));
        out.flow(TABLES.SNOOP, 200, match({ ...fields, [REG.to]: own.slot }), [...others, deliver], own.slot);
      }
    }
  }
}
