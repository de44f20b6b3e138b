import { type Action, type FieldName } from '#openflow';
import { copyTo, goto, match, resubmit, set, type Wanted } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { REG } from '../pipeline/registers.js';
import { segmentMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';
import { regions, type Range } from '../ranges.js';
import { type PortPlan, type TeamPlan } from '../resolve/plan.js';

export type Fields = Readonly<Partial<Record<FieldName, Wanted>>>;

/** Whom a frame may reach, and in which segments. */
export interface Receiver {
  readonly port: Pick<PortPlan, 'slot' | 'team'>;
  readonly ranges: readonly Range[];
}

/** Frames that go to several ports. */
export interface Kind {
  readonly table: number;
  /** Of those that ports of this host send; those of uplinks are ten above. */
  readonly priority: number;
  readonly fields: Fields;
  /** By what FLOOD_IN knows them. */
  readonly marks?: readonly Action[];
}

/** Flows that list all receivers of a segment, for frames of local ports (where others than the receiver may send) and for those of uplinks. */
export function spread(receivers: readonly Receiver[], kind: Kind, out: Emitter, local = true): void {
  const { table, priority, fields: wanted, marks = [] } = kind;
  for (const { ranges, members } of regions(receivers, (r) => r.ranges)) {
    const teams = teamsOf(members);
    for (const segment of segmentMatches(ranges)) {
      const fields = { [REG.segment]: segment, ...wanted };
      const all = [...members.map(({ port }) => copyTo(port.slot)), goto(TABLES.TO_PNIC)];
      if (local) out.flow(table, priority, match(fields), all);
      if (teams.length === 0) continue;
      const ask = [...marks, ...teams.flatMap(askTeam)];
      out.flow(table, priority + 10, match({ ...fields, [REG.from]: 0 }), ask);
    }
  }
}

/** Of what came by an uplink: the receivers that are pinned to it, by their team. */
export function spreadIn(
  receivers: readonly Receiver[],
  priority: number,
  wanted: Fields,
  out: Emitter,
): void {
  for (const { ranges, members } of regions(receivers, (r) => r.ranges))
    for (const segment of segmentMatches(ranges))
      for (const { id } of teamsOf(members)) {
        const own = members.filter(({ port }) => port.team?.id === id).map(({ port }) => copyTo(port.slot));
        const fields = match({ [REG.segment]: segment, ...wanted, [REG.team]: id });
        out.flow(TABLES.FLOOD_IN, priority, fields, own, id);
      }
}

/** Whether the frame came by the uplink that the team's ports take frames from. */
const askTeam = ({ id, kind }: TeamPlan): Action[] => [
  set(REG.team, id),
  kind === 'order' ? { kind: 'group', group: id } : resubmit(TABLES.CHOSEN),
];

function teamsOf(members: readonly Receiver[]): readonly TeamPlan[] {
  const teams = new Map(
    members.flatMap(({ port: { team } }) => (team === undefined ? [] : [[team.id, team]])),
  );
  return [...teams.values()].sort((a, b) => a.id - b.id);
}
