import { isLearned, type Action, type BridgeObservation, type Flow } from '#openflow';
import { type Told } from '../../answers.js';
import { copyTo, set, setBits } from '../../pipeline/actions.js';
import { FLAG, REG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { type MulticastFacts } from '../../types.js';
import { GROUP_FIELDS } from './addresses.js';
import { AT } from './multicast.js';

/** Who sends what an agent sends: no port, and no uplink. */
const AGENT = 0xffff;

/**
 * Copies of a frame that an agent sends, to these ports and through all that stands before each of them. What somebody in a
 * private VLAN said (`wire`) goes to those alone who may hear that one.
 */
export const deliverTo = (
  { segment, wire = 0, cos = 0 }: Pick<Told, 'segment'> & Partial<Pick<Told, 'wire' | 'cos'>>,
  slots: readonly number[],
): readonly Action[] => [
  set(REG.from, AGENT),
  set(REG.segment, segment),
  set(REG.wire, wire),
  setBits(FLAG.cos, cos),
  ...slots.map(copyTo),
];

/**
 * The facts that the standing flows were made of, so that another run of the agent goes on with them: what gets every
 * group is taken for a router where its segment is told, and is asked anew else.
 */
export function standingMulticast({ flows }: Pick<BridgeObservation, 'flows'>): MulticastFacts {
  const own = flows.map(({ flow }) => flow).filter(isOurs);
  const at = (priority: number): readonly Flow[] => own.filter((flow) => flow.priority === priority);
  const listening = at(AT.unknown).flatMap((flow) => {
    const segment = segmentOf(flow);
    return receiversOf(flow).map((slot) => ({ segment, slot }));
  });
  const always = new Set(listening.map(({ slot }) => slot));
  const settled = new Set(at(AT.query).flatMap(receiversOf));
  const routers = listening.flatMap(({ segment, slot }) => (segment === null ? [] : [{ segment, slot }]));
  for (const slot of always) if (!routers.some((r) => r.slot === slot)) settled.delete(slot);
  const groups = at(AT.group).flatMap((flow) => {
    const segment = segmentOf(flow);
    const slots = receiversOf(flow).filter((slot) => !always.has(slot));
    return GROUP_FIELDS.flatMap(([family, field]) => {
      const address = flow.match[field]?.value;
      if (segment === null || address === undefined) return [];
      return [{ segment, group: { family, address }, slots }];
    });
  });
  return { settled: [...settled].sort((a, b) => a - b), routers, groups, refused: [] };
}

const isOurs = ({ table, cookie, match }: Flow): boolean =>
  table === TABLES.MCAST && cookie !== 0n && !isLearned(cookie) && match[REG.from] === undefined;

function segmentOf({ match }: Flow): number | null {
  const segment = match[REG.segment];
  return segment === undefined || segment.mask !== undefined ? null : Number(segment.value);
}

const receiversOf = ({ actions }: Flow): number[] =>
  actions.flatMap((action) =>
    action.kind === 'clone'
      ? action.actions.flatMap((inner) =>
          inner.kind === 'set-field' && inner.field === REG.to ? [Number(inner.value)] : [],
        )
      : [],
  );
