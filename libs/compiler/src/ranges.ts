/** Both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** `value` under `mask`: the numbers n with n & mask = value. */
export interface Masked {
  readonly value: number;
  readonly mask: number;
}

/** The fewest masked values that cover exactly the range, in a field of `bits` bits; disjoint and ascending. */
export function maskRange({ from, to }: Range, bits: number): Masked[] {
  const full = 2 ** bits - 1;
  const out: Masked[] = [];
  let at = from;
  while (at <= to) {
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 - 1 <= to && size * 2 <= full + 1) size *= 2;
    out.push({ value: at, mask: full - (size - 1) });
    at += size;
  }
  return out;
}

/** A stretch of segments with the same members. */
export interface Region<T> {
  readonly ranges: readonly Range[];
  readonly members: readonly T[];
}

/**
 * Cuts the segments 0 to 4094 into regions, each with the items that take part in it, so that flows that list all
 * members of a segment never overlap. Members keep the order of the items; regions without members are left out.
 */
export function regions<T>(items: readonly T[], rangesOf: (item: T) => readonly Range[]): Region<T>[] {
  const edges = new Set<number>();
  for (const item of items) {
    for (const range of rangesOf(item)) edges.add(range.from).add(range.to + 1);
  }
  const cuts = [...edges].sort((a, b) => a - b);
  const byMembers = new Map<string, { ranges: Range[]; members: T[] }>();
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const from = cuts[i] ?? 0;
    const to = (cuts[i + 1] ?? 0) - 1;
    const indexes = items.flatMap((item, n) =>
      rangesOf(item).some((r) => r.from <= from && from <= r.to) ? [n] : [],
    );
    if (indexes.length === 0) continue;
    const key = indexes.join();
    const region = byMembers.get(key) ?? { ranges: [], members: indexes.map((n) => items[n] as T) };
    const last = region.ranges.at(-1);
    if (last !== undefined && last.to === from - 1)
      region.ranges[region.ranges.length - 1] = { from: last.from, to };
    else region.ranges.push({ from, to });
    byMembers.set(key, region);
  }
  return [...byMembers.values()];
}
