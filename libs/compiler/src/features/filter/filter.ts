import { type Filter, type FilterRule } from '#domain';
import { type Action, type Meter } from '#openflow';
import { goto, match, meter, set, setBits } from '../../pipeline/actions.js';
import { KEEPS_STATE, NO_RULE, ruleObject } from '../../pipeline/cookies.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature, type Part } from '../../pipeline/feature.js';
import { FLAG, REG } from '../../pipeline/registers.js';
import { type OutStage } from '../../pipeline/stages.js';
import { asksSets, byName, inSets, setLookups, setsText, type Sets } from '../sets/uses.js';
import { entered } from '../state/state.js';
import { tagsOf } from '../state/tags.js';
import { ruleLists, type RuleList } from './lists.js';
import { rateMeters, ratesText, type Rates } from './rates.js';
import { listMatches } from './rules.js';
import { BOTH_SIDES, concerns, SIDES, speaksOf, tiersOf, type Side } from './sides.js';
import { told, toldMeters } from './told.js';

const FIRST = 60_000;

/**
 * Ordered rules by tier, first match decides: a rule's place is its priority. A rule that passes asks the next tier that
 * has rules; what no rule takes goes on to it as well, and behind the last one gets the filter's default. A list stands
 * once on the bridge, whatever the number of its ports: a change of one rule for a thousand ports changes one rule.
 */
export const filter: Feature = {
  name: 'filter',
  // No copy comes to the other side that has no list: see `nextOut`.
  bridge: (_, out) => out.flow(SIDES.in.choose, 0, {}, [goto(SIDES.in.next)]),
  parts: ({ ports, sets }) => {
    const known = byName(sets);
    const lists = ruleLists(ports);
    const rates = rateMeters(lists);
    const meters = toldMeters(lists);
    const telling: Part = {
      key: 'told',
      of: JSON.stringify(meters),
      write: (out) => meters.forEach((one) => out.meter(one)),
    };
    const parts = lists.map((list): Part => {
      const its = rates.get(list.number) ?? NO_RATES;
      return {
        key: `${list.number}`,
        of: `${list.ports.map(({ slot }) => slot).join()} ${ratesText(its)} ${setsText(list.filter, known)} ${list.text}`,
        write: (out) => {
          for (const rate of its.values()) out.meter(rate);
          for (const side of BOTH_SIDES)
            if (speaksOf(list.filter, side.direction)) write(list, { rates: its, sets: known }, side, out);
        },
      };
    });
    return meters.length === 0 ? parts : [telling, ...parts];
  },
};

const NO_RATES: Rates = new Map();

/** Out-tables of a port with this filter, and what a copy looks up behind the first of them. */
export function filterStages(filter: Filter): {
  readonly used: readonly OutStage[];
  readonly lookups: number;
} {
  if (!speaksOf(filter, 'out')) return { used: [], lookups: 0 };
  const PASSED_OUT = 1;
  const stateful = filter.stateful ? 2 : 0;
  const tiers = tiersOf(filter, 'out').length;
  return { used: ['FILTER_OUT'], lookups: PASSED_OUT + setLookups(filter, 'out') + stateful + tiers };
}

/** Where frames go once it is known which sets they are in. */
export const afterSets = (filter: Filter, side: Side): number =>
  filter.stateful ? side.state : tableOf(side, tiersOf(filter, side.direction)[0]);

/** What a list's flows depend on beside what it says. */
interface Around {
  readonly rates: Rates;
  readonly sets: Sets;
}

function write({ number, filter, ports }: RuleList, { rates, sets }: Around, side: Side, out: Emitter): void {
  const tiers = tiersOf(filter, side.direction);
  const first = asksSets(filter, side.direction) ? side.sets : afterSets(filter, side);
  // One and the same for all of them: it is compared once.
  const chosen = [set(REG.rules, number), goto(first)];
  const object = filter.stateful ? ruleObject(number, KEEPS_STATE) : 0;
  for (const { slot } of ports) out.flow(side.choose, 100, match({ [side.register]: slot }), chosen, object);
  const mine = match({ [REG.rules]: number });
  const tags = tagsOf(filter, side.direction);
  const allowed = (tag: number): Action[] => (filter.stateful ? entered(tag, side) : [goto(side.next)]);
  const rest = filter.default === 'allow' ? allowed(tags.rest) : [];
  const passed = (tier: number): Action[] => {
    const further = tiers.find((other) => other > tier);
    return further === undefined ? rest : [goto(tableOf(side, further))];
  };
  for (const tier of tiers) {
    const object = tier === tiers.at(-1) ? ruleObject(number, NO_RULE) : 0;
    out.flow(tableOf(side, tier), 0, mine, passed(tier), object);
  }
  for (const [index, matches] of listMatches(filter.rules).entries()) {
    const rule = filter.rules[index];
    if (rule === undefined || !concerns(rule, side.direction)) continue;
    const members = inSets(rule, sets);
    if (members === null) continue;
    const ways = { side, passed: passed(rule.tier), allowed: allowed(tags.rules[index] ?? 0) };
    const limit = rates.get(index);
    const isUnlimited = rule.rate !== undefined && limit === undefined;
    const says = told(rule, number, side.direction);
    const actions = isUnlimited ? [] : [...limited(limit), ...says, ...marked(rule), ...decided(rule, ways)];
    for (const fields of matches)
      out.flow(
        tableOf(side, rule.tier),
        FIRST - index,
        { ...mine, ...members, ...fields },
        actions,
        ruleObject(number, index),
      );
  }
}

/** A meter stands first: what it drops is neither told, marked nor entered. */
const limited = (rate: Meter | undefined): Action[] => (rate === undefined ? [] : [meter(rate.id)]);

/** The class of traffic, and the priority of the tag that the frame leaves with, if it leaves with one. */
function marked({ mark }: FilterRule): Action[] {
  return [
    ...(mark?.dscp === undefined ? [] : [set('ip_dscp', mark.dscp)]),
    ...(mark?.cos === undefined ? [] : [setBits(FLAG.cos, mark.cos)]),
  ];
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
    // What the sender is told of it, is told by the agent.
    case 'reject':
    case 'drop':
      return [];
  }
}
