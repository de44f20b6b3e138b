import { type FilterRule } from '#domain';
import { type PortPlan } from '../../resolve/plan.js';

/** One list of rules, and the ports that it holds for. */
export interface RuleList {
  /** The lowest slot of its ports: no other list has it, and it stays while that port has this list. */
  readonly number: number;
  readonly rules: readonly FilterRule[];
  readonly ports: readonly PortPlan[];
}

/** Lists are long, and the same object for all ports that have theirs from one group. */
const texts = new WeakMap<readonly FilterRule[], string>();

function textOf(rules: readonly FilterRule[]): string {
  const known = texts.get(rules);
  if (known !== undefined) return known;
  const text = JSON.stringify(rules);
  texts.set(rules, text);
  return text;
}

/** The different lists of a bridge, by what they say; ports without rules have none. */
export function ruleLists(ports: readonly PortPlan[]): RuleList[] {
  const lists = new Map<string, { number: number; rules: readonly FilterRule[]; ports: PortPlan[] }>();
  for (const port of ports) {
    const { rules } = port.policy.filter;
    if (rules.length === 0) continue;
    const text = textOf(rules);
    const list = lists.get(text);
    if (list === undefined) lists.set(text, { number: port.slot, rules, ports: [port] });
    else {
      list.number = Math.min(list.number, port.slot);
      list.ports.push(port);
    }
  }
  return [...lists.values()].sort((a, b) => a.number - b.number);
}
