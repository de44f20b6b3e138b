import { goto, match } from '../../pipeline/actions.js';
import { ruleObject } from '../../pipeline/cookies.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature } from '../../pipeline/feature.js';
import { REG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { type PortPlan } from '../../resolve/plan.js';
import { ruleMatches } from './rules.js';

const FIRST = 60_000;

const SIDES = [
  { direction: 'in', table: TABLES.FILTER_IN, register: REG.from, next: TABLES.FORWARD },
  { direction: 'out', table: TABLES.FILTER_OUT, register: REG.to, next: TABLES.SHAPE_OUT_PEAK },
] as const;

/** Ordered rules, first match decides: a rule's place is its priority. What no rule takes goes on. */
export const filter: Feature = {
  name: 'filter',
  bridge: (_bridge, out) => {
    for (const { table, next } of SIDES) out.flow(table, 0, {}, [goto(next)]);
  },
  port: (port, out) => {
    for (const side of SIDES) rules(port, side, out);
  },
};

function rules(port: PortPlan, side: (typeof SIDES)[number], out: Emitter): void {
  port.policy.filter.forEach((rule, index) => {
    if (rule.direction !== 'both' && rule.direction !== side.direction) return;
    const actions = rule.action === 'drop' ? [] : [goto(side.next)];
    for (const fields of ruleMatches(rule)) {
      const whole = { ...match({ [side.register]: port.slot }), ...fields };
      out.flow(side.table, FIRST - index, whole, actions, ruleObject(port.slot, index));
    }
  });
}
