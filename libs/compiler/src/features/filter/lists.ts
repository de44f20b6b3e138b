import { type FilterRule } from '#domain';
import { type PortPlan } from '../../resolve/plan.js';

/** One list of rules, and the ports that it holds for. */
export interface RuleList {
  /** The lowest slot of its ports: no other list has it, and it stays while that port has this list. */
  readonly number: number;
  readonly rules: readonly FilterRule[];
  /** The rules; lists of one text are one list. */
  readonly text: string;
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

const found = new WeakMap<readonly PortPlan[], readonly RuleList[]>();

/** The different lists of a bridge, by what they say; ports without rules have none. */
export function ruleLists(ports: readonly PortPlan[]): readonly RuleList[] {
  let lists = found.get(ports);
  if (lists === undefined) found.set(ports, (lists = findLists(ports)));
  return lists;
}

/** Whether every port has a list of the same number. */
export const sameNumbers = (a: readonly RuleList[], b: readonly RuleList[]): boolean =>
  a.length === b.length && a.every((list, i) => sameNumber(list, b[i]));

const sameNumber = ({ number, ports }: RuleList, other: RuleList | undefined): boolean =>
  number === other?.number &&
  ports.length === other.ports.length &&
  ports.every((port, i) => port === other.ports[i] || port.slot === other.ports[i]?.slot);

function findLists(ports: readonly PortPlan[]): readonly RuleList[] {
  const lists = new Map<string, { number: number; ports: PortPlan[] } & Omit<RuleList, 'ports'>>();
  let text = '';
  let last: readonly FilterRule[] | null = null;
  for (const port of ports) {
    const { rules } = port.policy.filter;
    if (rules.length === 0) continue;
    // Neighbours often have one list in common.
    if (rules !== last) text = textOf(rules);
    last = rules;
    const list = lists.get(text);
    if (list === undefined) lists.set(text, { number: port.slot, rules, text, ports: [port] });
    else {
      list.number = Math.min(list.number, port.slot);
      list.ports.push(port);
    }
  }
  return [...lists.values()].sort((a, b) => a.number - b.number);
}
