import { mapPairs, setElements } from './atoms.js';
import { type ColumnKind } from './schema.js';

/** A column's value after a change as `update2` writes it (see WATCHED). Values are in the notation of RFC 7047. */
export function applyDiff(kind: ColumnKind, before: unknown, change: unknown): unknown {
  switch (kind) {
    case 'value':
      return change;
    case 'set':
      return setDiff(before, change);
    case 'map':
      return mapDiff(before, change);
  }
}

/** An element in both is one that went; in the change only, one that came. */
function setDiff(before: unknown, change: unknown): unknown {
  const elements = new Map(setElements(before).map((element) => [JSON.stringify(element), element]));
  for (const element of setElements(change)) {
    const key = JSON.stringify(element);
    if (!elements.delete(key)) elements.set(key, element);
  }
  return ['set', [...elements.values()]];
}

/** A pair that is there already went; with another value it changed; with a new key it came. */
function mapDiff(before: unknown, change: unknown): unknown {
  const pairs = new Map(mapPairs(before).map(([key, value]) => [key, value]));
  for (const [key, value] of mapPairs(change)) {
    if (pairs.has(key) && pairs.get(key) === value) pairs.delete(key);
    else pairs.set(key, value);
  }
  return ['map', [...pairs]];
}
