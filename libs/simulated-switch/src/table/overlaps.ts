import { type Entry } from './entry.js';

/** Two entries of one table and priority that a single frame could match both, if there are any. */
export function findOverlap(entries: Iterable<Entry>): readonly [Entry, Entry] | undefined {
  const byShape = new Map<string, Entry[]>();
  for (const entry of entries) {
    const list = byShape.get(entry.shape.key);
    if (list === undefined) byShape.set(entry.shape.key, [entry]);
    else list.push(entry);
  }
  // Of one shape, only equal values meet, and those would be one identity.
  const groups = [...byShape.values()];
  for (let i = 0; i < groups.length; i += 1) {
    for (let j = i + 1; j < groups.length; j += 1) {
      const pair = between(groups[i] ?? [], groups[j] ?? []);
      if (pair !== undefined) return pair;
    }
  }
  return undefined;
}

/** Compares two shapes by what both look at. */
function between(a: readonly Entry[], b: readonly Entry[]): readonly [Entry, Entry] | undefined {
  const [x] = a;
  const [y] = b;
  if (x === undefined || y === undefined) return undefined;
  const common: { i: number; j: number; mask: number }[] = [];
  x.shape.at.forEach((word, i) => {
    const j = y.shape.at.indexOf(word);
    const mask = j < 0 ? 0 : ((x.shape.masks[i] ?? 0) & (y.shape.masks[j] ?? 0)) >>> 0;
    if (mask !== 0) common.push({ i, j, mask });
  });
  const seen = new Map(a.map((e) => [common.map((c) => ((e.values[c.i] ?? 0) & c.mask) >>> 0).join(), e]));
  for (const e of b) {
    const twin = seen.get(common.map((c) => ((e.values[c.j] ?? 0) & c.mask) >>> 0).join());
    if (twin !== undefined) return [twin, e];
  }
  return undefined;
}
