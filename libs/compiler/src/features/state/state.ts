import { CT_STATE, type Action, type SubField } from '#openflow';
import { goto, match, set } from '../../pipeline/actions.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature, type Part } from '../../pipeline/feature.js';
import { REG } from '../../pipeline/registers.js';
import { ruleLists, type RuleList } from '../filter/lists.js';
import { BOTH_SIDES, tiersOf, type Side } from '../filter/sides.js';
import { byName, setsText } from '../sets/uses.js';
import { adopted } from './adopt.js';
import { answers, errors, setTier } from './answers.js';
import { CT_MARK, ZONE, ZONE_BASE } from './zones.js';
import { marksOf } from './tags.js';

const IP = [0x0800, 0x86dd] as const;
const UNICAST = { value: 0, mask: 0x010000000000n } as const;
const TRACKED = CT_STATE.tracked;

/**
 * Connections of ports with a stateful filter, each in a zone of its port. Being part of a connection never takes a
 * frame past the rules: what goes the way the connection was begun is asked of them like the first frame, and so is an
 * answer, backwards. A rule that goes takes its connections along in the moment in which its flows go, and one that
 * comes stops what it is to stop; what is left of them in the switch is litter.
 */
export const state: Feature = {
  name: 'state',
  parts: ({ ports, sets }) => {
    const parts = ruleLists(ports)
      .filter(({ filter }) => filter.stateful)
      .map((list): Part => ({
        key: `${list.number}`,
        of: `${setsText(list.filter, byName(sets))} ${list.text}`,
        write: (out) => {
          for (const side of BOTH_SIDES) {
            ask(list, side, out);
            answers(list, byName(sets), side, out);
            errors(list, side, out);
            enter(list, side, out);
          }
        },
      }));
    return parts.length === 0 ? parts : [adopted, ...parts];
  },
};

/** Multicast has no connections, and a copy of it for each port would be looked up for nothing. */
function ask({ number, filter }: RuleList, side: Side, out: Emitter): void {
  const mine = { [REG.rules]: number };
  const zone: Action[] = zoneOf(side);
  const track: Action[] = [...zone, setTier(0), { kind: 'ct', zone: ZONE, table: side.established }];
  for (const eth_type of IP)
    out.flow(side.state, 100, match({ ...mine, eth_type, eth_dst: UNICAST }), track, number);
  const [first] = tiersOf(filter, side.direction);
  const rules = goto(side.tiers[first] ?? side.next);
  out.flow(side.state, 0, match(mine), [rules], number);
  out.flow(side.established, 0, match(mine), [rules], number);
}

/** The port's own zone, kept where VERDICT finds it. */
const zoneOf = (side: Side): Action[] => [
  { kind: 'move', src: { ...ZONE, field: side.register }, dst: ZONE },
  { kind: 'set-field', field: ZONE.field, value: BigInt(ZONE_BASE), mask: BigInt(ZONE_BASE) },
];

/** What a rule let pass is entered under its mark, but for what bears that mark already, or is no connection's. */
function enter({ number, filter }: RuleList, side: Side, out: Emitter): void {
  const mine = { [REG.rules]: number };
  const tracked = { value: TRACKED, mask: TRACKED };
  const next = goto(side.next);
  for (const tag of marksOf(filter, side.direction)) {
    const fields = match({ ...mine, [REG.ruleTag]: tag, ct_state: tracked, ct_mark: tag });
    out.flow(side.verdict, 200, fields, [next], number);
  }
  const mark: SubField = { field: REG.ruleTag, offset: 0, bits: 32 };
  const exec = [{ kind: 'move', src: mark, dst: CT_MARK }] as const;
  const commit: Action = { kind: 'ct', zone: ZONE, commit: true, exec };
  for (const eth_type of IP)
    out.flow(side.verdict, 100, match({ ...mine, eth_type, ct_state: tracked }), [commit, next], number);
  out.flow(side.verdict, 0, match(mine), [next], number);
}

export const entered = (tag: number, side: Side): Action[] => [set(REG.ruleTag, tag), goto(side.verdict)];
