import { LAST_TIER, USUAL_TIER } from '#domain/on-host';
import { type Filter, type FilterRule } from '#domain';
import { REG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';

/** The tables of one direction: what a port sends (`in`), and what it gets (`out`). */
export const SIDES = {
  in: {
    direction: 'in',
    choose: TABLES.FILTER_IN,
    sets: TABLES.SETS_IN,
    state: TABLES.STATE_IN,
    established: TABLES.ESTABLISHED_IN,
    tiers: [TABLES.RULES_IN_0, TABLES.RULES_IN_1, TABLES.RULES_IN_2, TABLES.RULES_IN_3],
    verdict: TABLES.VERDICT_IN,
    register: REG.from,
    next: TABLES.PASSED_IN,
  },
  out: {
    direction: 'out',
    choose: TABLES.FILTER_OUT,
    sets: TABLES.SETS_OUT,
    state: TABLES.STATE_OUT,
    established: TABLES.ESTABLISHED_OUT,
    tiers: [TABLES.RULES_OUT_0, TABLES.RULES_OUT_1, TABLES.RULES_OUT_2, TABLES.RULES_OUT_3],
    verdict: TABLES.VERDICT_OUT,
    register: REG.to,
    next: TABLES.PASSED_OUT,
  },
} as const;

export type Side = (typeof SIDES)[keyof typeof SIDES];
export type Way = Side['direction'];

export const BOTH_SIDES: readonly Side[] = [SIDES.in, SIDES.out];

/** Whether a rule is asked for frames of this direction. */
export const concerns = ({ direction, enabled }: FilterRule, way: Way): boolean =>
  enabled && (direction === 'both' || direction === way);

/** Whether a filter says anything of frames of this direction. */
export const speaksOf = ({ stateful, default: rest, rules }: Filter, way: Way): boolean =>
  stateful || rest === 'drop' || rules.some((rule) => concerns(rule, way));

/** The tiers that have rules of this direction, in order; where none has, what no rule takes stands in the usual one. */
export function tiersOf({ rules }: Filter, way: Way): readonly [number, ...number[]] {
  const used = new Set(rules.filter((rule) => concerns(rule, way)).map(({ tier }) => tier));
  const [first, ...more] = [...used].filter((tier) => tier <= LAST_TIER).sort((a, b) => a - b);
  return first === undefined ? [USUAL_TIER] : [first, ...more];
}
