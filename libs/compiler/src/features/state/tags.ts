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

type ByWay = Readonly<Record<Way, Tags>>;

const known = new WeakMap<Filter, ByWay>();

/**
 * Of connections that were begun one way. A tag depends on what its rule says, not on its name or place: a rule that is
 * moved keeps its connections, and one that is changed loses them. Rules that say the same share one. Odd, so that it is
 * never 0, which is no mark at all. Each way has its own: a promiscuous port gets both halves of what others say to each
 * other, and the second is no answer to anything that the port sent.
 */
export function tagsOf(filter: Filter, way: Way): Tags {
  let tags = known.get(filter);
  if (tags === undefined) known.set(filter, (tags = tagsByWay(filter)));
  return tags[way];
}

function tagsByWay(filter: Filter): ByWay {
  const textsOf = (way: Way): string[] =>
    filter.rules.map((rule) => (entersConnections(rule) && concerns(rule, way) ? meaning(rule, way) : ''));
  const texts = { in: textsOf('in'), out: textsOf('out') };
  const byText = allot([...new Set(['in', 'out', ...texts.in, ...texts.out])].filter((t) => t !== '').sort());
  const tagsFor = (way: Way): Tags => ({
    rules: texts[way].map((text) => byText.get(text) ?? 0),
    rest: filter.default === 'allow' ? (byText.get(way) ?? 0) : 0,
  });
  return { in: tagsFor('in'), out: tagsFor('out') };
}

/** Of all that allows something in a direction. */
export function marksOf(filter: Filter, way: Way): number[] {
  const { rules, rest } = tagsOf(filter, way);
  return [...new Set([...rules, rest])].filter((tag) => tag !== 0);
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
function meaning({ match }: FilterRule, way: Way): string {
  return `${way} ${JSON.stringify(Object.entries(match).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
