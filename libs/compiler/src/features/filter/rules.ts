import { type FilterRule } from '#domain';
import { type Match } from '#openflow';
import { type Refusal } from '../../resolve/interfaces.js';
import { malformed, ruleMatches } from './matches.js';

/** A rule's place in its list is part of the cookie: 10 bits. */
export const MAX_RULES = 512;
/** Flows of one list, each direction: port ranges multiply. */
export const MAX_FLOWS = 2_048;

/** What is to be known of a list: why it can't be carried out, or its rules as matches, in their order. */
type Checked =
  { readonly refusal: Refusal } | { readonly refusal: null; readonly matches: readonly Match[][] };

/** A group's list is the same object for all its ports: it is gone through once. */
const known = new WeakMap<readonly FilterRule[], Checked>();

function checked(rules: readonly FilterRule[]): Checked {
  const before = known.get(rules);
  if (before !== undefined) return before;
  const now = check(rules);
  known.set(rules, now);
  return now;
}

/** Why a list can't be carried out; null: it can. */
export const checkFilter = (rules: readonly FilterRule[]): Refusal | null => checked(rules).refusal;

/** Each rule of a list as matches that exclude each other; nothing of a list that can't be carried out. */
export function listMatches(rules: readonly FilterRule[]): readonly (readonly Match[])[] {
  const list = checked(rules);
  return list.refusal === null ? list.matches : [];
}

function check(rules: readonly FilterRule[]): Checked {
  const refuse = (code: Refusal['code'], reason: string): Checked => ({ refusal: { code, reason } });
  if (rules.length > MAX_RULES)
    return refuse('filter-too-large', `${rules.length} rules, at most ${MAX_RULES} can be carried out`);
  let flows = 0;
  const matches: Match[][] = [];
  for (const rule of rules) {
    if (!rule.enabled) {
      matches.push([]);
      continue;
    }
    const bad = malformed(rule);
    if (bad !== null) return refuse('filter-invalid', `rule ${rule.name}: ${bad}`);
    const its = ruleMatches(rule);
    matches.push(its);
    flows += its.length;
    if (flows > MAX_FLOWS)
      return refuse('filter-too-large', `needs more than ${MAX_FLOWS} flows, at rule ${rule.name}`);
  }
  return { refusal: null, matches };
}
