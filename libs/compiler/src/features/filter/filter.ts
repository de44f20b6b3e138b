import { type Filter, type FilterRule } from '#domain';
import { goto, match, set } from '../../pipeline/actions.js';
import { ruleObject } from '../../pipeline/cookies.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature } from '../../pipeline/feature.js';
import { REG } from '../../pipeline/registers.js';
import { type OutStage } from '../../pipeline/stages.js';
import { TABLES } from '../../pipeline/tables.js';
import { ruleLists, type RuleList } from './lists.js';
import { listMatches } from './rules.js';

const FIRST = 60_000;

const SIDES = [
  {
    direction: 'in',
    choose: TABLES.FILTER_IN,
    rules: TABLES.RULES_IN_1,
    register: REG.from,
    next: TABLES.FORWARD,
  },
  {
    direction: 'out',
    choose: TABLES.FILTER_OUT,
    rules: TABLES.RULES_OUT_1,
    register: REG.to,
    next: TABLES.PASSED_OUT,
  },
] as const;

/**
 * Ordered rules, first match decides: a rule's place is its priority. What no rule takes goes on. A list stands once
 * on the bridge, whatever the number of its ports: a change of one rule for a thousand ports changes one rule.
 */
export const filter: Feature = {
  name: 'filter',
  bridge: (_, out) => {
    for (const side of SIDES) {
      // No copy comes here that has no list: see `nextOut`.
      if (side.direction === 'in') out.flow(side.choose, 0, {}, [goto(side.next)]);
      out.flow(side.rules, 0, {}, [goto(side.next)]);
    }
  },
  parts: ({ ports }) =>
    ruleLists(ports).map((list) => ({
      key: `${list.number}`,
      of: `${list.ports.map(({ slot }) => slot).join()} ${list.text}`,
      write: (out) => {
        for (const side of SIDES) write(list, side, out);
      },
    })),
};

const concerns = ({ direction }: FilterRule, side: 'in' | 'out'): boolean =>
  direction === 'both' || direction === side;

/** Out-tables of a port with this filter. */
export const filterStages = ({ rules }: Filter): OutStage[] =>
  rules.some((rule) => concerns(rule, 'out')) ? ['FILTER_OUT'] : [];

function write({ number, rules, ports }: RuleList, side: (typeof SIDES)[number], out: Emitter): void {
  const mine = rules.map((rule) => concerns(rule, side.direction));
  if (!mine.includes(true)) return;
  // One and the same for all of them: it is compared once.
  const actions = [set(REG.rules, number), goto(side.rules)];
  for (const { slot } of ports) {
    out.flow(side.choose, 100, match({ [side.register]: slot }), actions);
  }
  for (const [index, matches] of listMatches(rules).entries()) {
    if (mine[index] !== true) continue;
    const actions = rules[index]?.action === 'allow' ? [goto(side.next)] : [];
    for (const fields of matches) {
      const whole = { ...match({ [REG.rules]: number }), ...fields };
      out.flow(side.rules, FIRST - index, whole, actions, ruleObject(number, index));
    }
  }
}
