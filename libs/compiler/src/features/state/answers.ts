import { type FilterRule } from '#domain';
import { CT_STATE, type Action, type Match } from '#openflow';
import { bitsAre, goto, match, resubmit, setBits } from '../../pipeline/actions.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { FLAG, REG } from '../../pipeline/registers.js';
import { type RuleList } from '../filter/lists.js';
import { backwards, turned } from '../filter/backwards.js';
import { listMatches } from '../filter/rules.js';
import { concerns, tiersOf, type Side } from '../filter/sides.js';
import { inSets, type Sets } from '../sets/uses.js';
import { marksOf, tagsOf } from './tags.js';

const FIRST = 60_000;
const has = (bits: bigint) => ({ value: CT_STATE.tracked | bits, mask: CT_STATE.tracked | bits });
const ANSWER = has(CT_STATE.reply);

export const setTier = (place: number): Action => setBits(FLAG.tier, place);

/**
 * An answer goes through the rules of the other direction as what it answers would, in their order: a rule that allows
 * takes it by its mark, any other by its match backwards. So it passes if the connection could be begun now by the
 * rule that let it begin. If not, it is a frame like any other.
 */
export function answers({ number, filter }: RuleList, sets: Sets, side: Side, out: Emitter): void {
  const way = side.direction === 'in' ? 'out' : 'in';
  const tags = tagsOf(filter, way);
  const tiers = tiersOf(filter, way);
  const matches = listMatches(filter.rules);
  const [first] = tiersOf(filter, side.direction);
  const asNew = goto(side.tiers[first] ?? side.next);
  const pass = [goto(side.next)];
  for (const [place, tier] of tiers.entries()) {
    const mine = match({ [REG.rules]: number, [REG.flags]: bitsAre(FLAG.tier, place), ct_state: ANSWER });
    const isLast = place === tiers.length - 1;
    const further = isLast ? [asNew] : [setTier(place + 1), resubmit(side.established)];
    const write = (priority: number, more: Match, actions: readonly Action[]): void =>
      out.flow(side.established, priority, { ...mine, ...more }, actions, number);
    for (const [index, rule] of filter.rules.entries()) {
      if (rule.tier !== tier || !concerns(rule, way)) continue;
      const members = inSets(rule, sets);
      if (members === null) continue;
      const marked = match({ ct_mark: tags.rules[index] ?? 0 });
      // The rule may stand and the other end be in its set no more.
      if (rule.action === 'allow') write(FIRST - index, { ...marked, ...turned(members) }, pass);
      else
        for (const fields of stopped(rule, members, matches[index])) {
          if (rule.action !== 'pass') write(FIRST - index, fields, [asNew]);
          else if (!isLast || tags.rest === 0) write(FIRST - index, fields, further);
          else write(FIRST - index, { ...fields, ...match({ ct_mark: tags.rest }) }, pass);
        }
    }
    if (!isLast) write(1, {}, further);
    else if (tags.rest !== 0) write(1, match({ ct_mark: tags.rest }), pass);
  }
}

/** What a rule that does not allow says of answers: nothing, where it speaks of single frames. */
const stopped = (rule: FilterRule, members: Match, matches: readonly Match[] = []): Match[] =>
  rule.action === 'allow-stateless'
    ? []
    : matches.flatMap((fields) => backwards({ ...members, ...fields }, rule) ?? []);

/** Errors that speak of a connection, from the end that began it; those from the other are answers. */
export function errors({ number, filter }: RuleList, side: Side, out: Emitter): void {
  for (const ct_mark of marksOf(filter, side.direction)) {
    const fields = match({ [REG.rules]: number, ct_state: has(CT_STATE.related), ct_mark });
    out.flow(side.established, 100, fields, [goto(side.next)], number);
  }
}
