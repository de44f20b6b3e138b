import { type Filter, type FilterRule } from '#domain';
import { type Action, type Match } from '#openflow';
import { bitsAre, match, resubmit, set, setBits } from '../../pipeline/actions.js';
import { type Part } from '../../pipeline/feature.js';
import { FLAG, REG } from '../../pipeline/registers.js';
import { type PortPlan } from '../../resolve/plan.js';
import { type CompiledBinding, type KeepsState } from '../../types.js';
import { BOTH_SIDES, SIDES, type Way } from '../filter/sides.js';
import { othersOf } from './others.js';
import { marksOf } from './tags.js';
import { zoneOfSlot } from './zones.js';

const STOP = 200;

/** Behind the rules a frame that was made to have a connection entered has done its part: it is not counted, either. */
export const adopted: Part = {
  key: 'adopted',
  of: '',
  write: (out) => {
    const stops = match({ [REG.flags]: bitsAre(FLAG.adopted, 1) });
    for (const { next } of BOTH_SIDES) out.flow(next, STOP, stops, []);
  },
};

/** Known of a filter for as long as it is: of all ports that have it from one group. */
const known = new WeakMap<Filter, Pick<KeepsState, 'marks' | 'others'>>();

/** Absent: the port has no state, or its rules ask for the VLAN, which conntrack does not know. */
export function stateOf({ slot, mac, policy, ranges }: PortPlan): Pick<CompiledBinding, 'state'> {
  const { filter, addresses } = policy;
  const [range, ...more] = ranges;
  const only = more.length === 0 && range?.from === range?.to ? range?.from : undefined;
  if (!filter.stateful || (only === undefined && filter.rules.some(asksForVlan))) return {};
  let ofFilter = known.get(filter);
  if (ofFilter === undefined) known.set(filter, (ofFilter = saidBy(filter)));
  const allow = addresses?.allow ?? null;
  return { state: { zone: zoneOfSlot(slot), mac, segment: only ?? 0, ...ofFilter, addresses: allow } };
}

function saidBy(filter: Filter): Pick<KeepsState, 'marks' | 'others'> {
  const others = { in: othersOf(filter, 'in'), out: othersOf(filter, 'out') };
  return {
    marks: { in: marksOf(filter, 'in'), out: marksOf(filter, 'out') },
    ...(others.in.length + others.out.length === 0 ? {} : { others }),
  };
}

const asksForVlan = ({ enabled, match: said }: FilterRule): boolean => enabled && said.vlan !== undefined;

/**
 * Asks the port's rules of a frame as if it had sent it, or were to get it. If they let it begin a connection, that is
 * entered under the mark of the rule, as any other; the frame itself gets no further.
 */
export function enterAs({ slot, state }: CompiledBinding, way: Way): Action[] {
  const side = SIDES[way];
  return [
    set(side.register, slot),
    set(REG.segment, state?.segment ?? 0),
    setBits(FLAG.adopted, 1),
    resubmit(side.choose),
  ];
}

/** Whether a frame that the switch tells of was made to have a connection entered: nobody sent it. */
export const isAdopted = (metadata: Match): boolean =>
  ((metadata[REG.flags]?.value ?? 0n) & (1n << BigInt(FLAG.adopted.offset))) !== 0n;

/** Has conntrack see one more frame of a connection, if it is there. */
export const seenBy = (zone: number): Action[] => [{ kind: 'ct', zone }];
