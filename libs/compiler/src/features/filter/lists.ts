import { type Filter } from '#domain';
import { type PortPlan } from '../../resolve/plan.js';
import { BOTH_SIDES, speaksOf } from './sides.js';

/** One filter, and the ports that it holds for. */
export interface RuleList {
  /** The lowest slot of its ports: no other list has it, and it stays while that port has this list. */
  readonly number: number;
  readonly filter: Filter;
  /** What it says; filters of one text are one list. */
  readonly text: string;
  readonly ports: readonly PortPlan[];
}

/** Filters are long, and the same object for all ports that have theirs from one group. */
const texts = new WeakMap<Filter, string>();

/** What it says; empty: nothing at all. */
function textOf(filter: Filter): string {
  const known = texts.get(filter);
  if (known !== undefined) return known;
  const says = BOTH_SIDES.some(({ direction }) => speaksOf(filter, direction));
  const text = says ? JSON.stringify([filter.stateful, filter.default, filter.rules]) : '';
  texts.set(filter, text);
  return text;
}

const found = new WeakMap<readonly PortPlan[], readonly RuleList[]>();

/** The different filters of a bridge, by what they say; ports whose filter says nothing have none. */
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
  let last: Filter | null = null;
  for (const port of ports) {
    const { filter } = port.policy;
    // Neighbours often have one list in common.
    if (filter !== last) text = textOf(filter);
    last = filter;
    if (text === '') continue;
    const list = lists.get(text);
    if (list === undefined) lists.set(text, { number: port.slot, filter, text, ports: [port] });
    else {
      list.number = Math.min(list.number, port.slot);
      list.ports.push(port);
    }
  }
  return [...lists.values()].sort((a, b) => a.number - b.number);
}
