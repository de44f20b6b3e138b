import { type Filter } from '#domain';
import { CT_STATE, type Action, type SubField } from '#openflow';
import { goto, match, set } from '../../pipeline/actions.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature } from '../../pipeline/feature.js';
import { REG } from '../../pipeline/registers.js';
import { ruleLists, type RuleList } from '../filter/lists.js';
import { BOTH_SIDES, concerns, tiersOf, type Side, type Way } from '../filter/sides.js';
import { CT_MARK, ZONE, ZONE_BASE } from './zones.js';
import { tagsOf } from './tags.js';

const IP = [0x0800, 0x86dd] as const;
const UNICAST = { value: 0, mask: 0x010000000000n } as const;
const TRACKED = CT_STATE.tracked;

/**
 * Connections of ports with a stateful filter, each in a zone of its port. Being part of a connection never takes a
 * frame past the rules: what goes the way the connection was begun is asked of them like the first frame, and an
 * answer passes only by the mark of a rule that still stands. So a rule that goes takes its connections along in the
 * moment in which its flows go; what is left of them in the switch is litter.
 */
export const state: Feature = {
  name: 'state',
  parts: ({ ports }) =>
    ruleLists(ports)
      .filter(({ filter }) => filter.stateful)
      .map((list) => ({
        key: `${list.number}`,
        of: list.text,
        write: (out) => {
          for (const side of BOTH_SIDES) {
            ask(list, side, out);
            answers(list, side, out);
            enter(list, side, out);
          }
        },
      })),
};

/** Multicast has no connections, and a copy of it for each port would be looked up for nothing. */
function ask({ number, filter }: RuleList, side: Side, out: Emitter): void {
  const mine = { [REG.rules]: number };
  const zone: Action[] = zoneOf(side);
  const track: Action[] = [...zone, { kind: 'ct', zone: ZONE, table: side.established }];
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

/** Answers to what a rule of the other direction allowed; and errors that speak of a connection, from either end. */
function answers({ number, filter }: RuleList, side: Side, out: Emitter): void {
  const other = side.direction === 'in' ? 'out' : 'in';
  const pass = (priority: number, bits: bigint, ct_mark: number): void => {
    const ct_state = { value: TRACKED | bits, mask: TRACKED | bits };
    const fields = match({ [REG.rules]: number, ct_state, ct_mark });
    out.flow(side.established, priority, fields, [goto(side.next)], number);
  };
  for (const mark of marks(filter, other)) pass(110, CT_STATE.reply, mark);
  for (const mark of marks(filter, side.direction)) pass(100, CT_STATE.related, mark);
}

/** What a rule let pass is entered under its mark, but for what bears that mark already, or is no connection's. */
function enter({ number, filter }: RuleList, side: Side, out: Emitter): void {
  const mine = { [REG.rules]: number };
  const tracked = { value: TRACKED, mask: TRACKED };
  const next = goto(side.next);
  for (const tag of marks(filter, side.direction)) {
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

/** Of all that allows something in a direction. */
function marks(filter: Filter, way: Way): number[] {
  const { rules, rest } = tagsOf(filter);
  const standing = filter.rules.flatMap((rule, i) => (concerns(rule, way) ? [rules[i] ?? 0] : []));
  return [...new Set([...standing, rest])].filter((tag) => tag !== 0);
}

export const entered = (tag: number, side: Side): Action[] => [set(REG.ruleTag, tag), goto(side.verdict)];
