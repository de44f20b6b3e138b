import { type Filter, type FilterRule } from '#domain';
import { fnv32 } from '../../hash.js';
import { concerns, type Way } from '../filter/sides.js';

/** What connections are marked with, so that it can be asked whether the rule that allowed them still stands. */
export interface Tags {
  /** By a rule's index; 0: it enters no connections. */
  readonly rules: readonly number[];
  /** Of what no rule takes; 0: it is dropped. */
  readonly rest: number;
}

const known = new WeakMap<Filter, Tags>();

/**
 * A tag depends on what its rule says, not on its name or place: a rule that is moved keeps its connections, and one
 * that is changed loses them. Rules that say the same share one. Odd, so that it is never 0, which is no mark at all.
 */
export function tagsOf(filter: Filter): Tags {
  const before = known.get(filter);
  if (before !== undefined) return before;
  const texts = filter.rules.map((rule) => (entersConnections(rule) ? meaning(rule) : ''));
  const byText = allot([...new Set(['', ...texts])].sort());
  const tags = {
    rules: texts.map((text) => (text === '' ? 0 : (byText.get(text) ?? 0))),
    rest: filter.default === 'allow' ? (byText.get('') ?? 0) : 0,
  };
  known.set(filter, tags);
  return tags;
}

/** Of all that allows something in a direction. */
export function marksOf(filter: Filter, way: Way): number[] {
  const { rules, rest } = tagsOf(filter);
  const standing = filter.rules.flatMap((rule, i) => (concerns(rule, way) ? [rules[i] ?? 0] : []));
  return [...new Set([...standing, rest])].filter((tag) => tag !== 0);
}

const entersConnections = ({ enabled, action }: FilterRule): boolean => enabled && action === 'allow';

/** In the order of the texts, so that two that hash alike get the same tags whatever their places. */
function allot(texts: readonly string[]): ReadonlyMap<string, number> {
  const tags = new Map<string, number>();
  const taken = new Set<number>();
  for (const text of texts) {
    let tag = (fnv32(text) | 1) >>> 0;
    while (taken.has(tag)) tag = (tag + 2) >>> 0;
    taken.add(tag);
    tags.set(text, tag);
  }
  return tags;
}

/** Fields in one order: that in which they were written says nothing. */
function meaning({ direction, match }: FilterRule): string {
  return `${direction} ${JSON.stringify(Object.entries(match).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
