import { type Filter, type FilterRule } from '#domain';
import { type Action } from '#openflow';
import { goto, match, set } from '../../pipeline/actions.js';
import { ruleObject } from '../../pipeline/cookies.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature } from '../../pipeline/feature.js';
import { REG } from '../../pipeline/registers.js';
import { type OutStage } from '../../pipeline/stages.js';
import { entered } from '../state/state.js';
import { tagsOf } from '../state/tags.js';
import { ruleLists, type RuleList } from './lists.js';
import { listMatches } from './rules.js';
import { BOTH_SIDES, concerns, SIDES, speaksOf, tiersOf, type Side } from './sides.js';

const FIRST = 60_000;
/** In the cookie of what no rule takes, in the place of a rule's index: no list is as long. */
const REST = 1023;

/**
 * Ordered rules by tier, first match decides: a rule's place is its priority. A rule that passes asks the next tier that
 * has rules; what no rule takes goes on to it as well, and behind the last one gets the filter's default. A list stands
 * once on the bridge, whatever the number of its ports: a change of one rule for a thousand ports changes one rule.
 */
export const filter: Feature = {
  name: 'filter',
  // No copy comes to the other side that has no list: see `nextOut`.
  bridge: (_, out) => out.flow(SIDES.in.choose, 0, {}, [goto(SIDES.in.next)]),
  parts: ({ ports }) =>
    ruleLists(ports).map((list) => ({
      key: `${list.number}`,
      of: `${list.ports.map(({ slot }) => slot).join()} ${list.text}`,
      write: (out) => {
        for (const side of BOTH_SIDES) if (speaksOf(list.filter, side.direction)) write(list, side, out);
      },
    })),
};

/** Out-tables of a port with this filter, and what a copy looks up behind the first of them. */
export function filterStages(filter: Filter): {
  readonly used: readonly OutStage[];
  readonly lookups: number;
} {
  if (!speaksOf(filter, 'out')) return { used: [], lookups: 0 };
  const PASSED_OUT = 1;
  const stateful = filter.stateful ? 2 : 0;
  return { used: ['FILTER_OUT'], lookups: PASSED_OUT + stateful + tiersOf(filter, 'out').length };
}

function write({ number, filter, ports }: RuleList, side: Side, out: Emitter): void {
  const tiers = tiersOf(filter, side.direction);
  const first = filter.stateful ? side.state : tableOf(side, tiers[0]);
  // One and the same for all of them: it is compared once.
  const chosen = [set(REG.rules, number), goto(first)];
  for (const { slot } of ports) out.flow(side.choose, 100, match({ [side.register]: slot }), chosen);
  const mine = match({ [REG.rules]: number });
  const tags = tagsOf(filter);
  const allowed = (tag: number): Action[] => (filter.stateful ? entered(tag, side) : [goto(side.next)]);
  const rest = filter.default === 'allow' ? allowed(tags.rest) : [];
  const passed = (tier: number): Action[] => {
    const further = tiers.find((other) => other > tier);
    return further === undefined ? rest : [goto(tableOf(side, further))];
  };
  for (const tier of tiers) {
    const object = tier === tiers.at(-1) ? ruleObject(number, REST) : 0;
    out.flow(tableOf(side, tier), 0, mine, passed(tier), object);
  }
  for (const [index, matches] of listMatches(filter.rules).entries()) {
    const rule = filter.rules[index];
    if (rule === undefined || !concerns(rule, side.direction)) continue;
    const actions = decided(rule, {
      side,
      passed: passed(rule.tier),
      allowed: allowed(tags.rules[index] ?? 0),
    });
    for (const fields of matches)
      out.flow(
        tableOf(side, rule.tier),
        FIRST - index,
        { ...mine, ...fields },
        actions,
        ruleObject(number, index),
      );
  }
}

const tableOf = (side: Side, tier: number): number => side.tiers[tier] ?? side.verdict;

interface Ways {
  readonly side: Side;
  readonly allowed: Action[];
  readonly passed: Action[];
}

function decided({ action }: FilterRule, { side, allowed, passed }: Ways): Action[] {
  switch (action) {
    case 'allow':
      return allowed;
    case 'allow-stateless':
      return [goto(side.next)];
    case 'pass':
      return passed;
    // Whoever is to tell the sender of it does so beside.
    case 'reject':
    case 'drop':
      return [];
  }
}
