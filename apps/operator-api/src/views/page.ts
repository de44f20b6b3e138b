import { type State } from '#domain';
import { type ListOf } from '#contracts/http';
import { byName } from './resources.js';

export const DEFAULT_LIMIT = 1000;

/** One page out of what matches, in name order. */
export function page<T, V>(
  state: State,
  items: Iterable<T>,
  nameOf: (item: T) => string,
  query: { readonly after?: string; readonly limit?: number },
  view: (item: T) => V,
): ListOf<V> {
  const { after, limit = DEFAULT_LIMIT } = query;
  const all = [...items].sort((a, b) => byName(nameOf(a), nameOf(b)));
  const from = after === undefined ? 0 : all.findIndex((item) => byName(nameOf(item), after) > 0);
  const shown = from < 0 ? [] : all.slice(from, from + limit);
  const last = shown.at(-1);
  const more = last !== undefined && from + shown.length < all.length;
  return {
    lineage: state.lineage,
    revision: state.revision,
    total: all.length,
    next: more ? nameOf(last) : null,
    items: shown.map(view),
  };
}
