import { type HostName } from '#kernel';
import { type DocumentKey, type MarkDocument, type RecentWrites } from '#contracts';
import { type Mark } from '../marks.js';

/** What a mark carries at most of what was written before it, since it goes to every host. */
export const RECENT = {
  entries: 32,
  /** Lives that it names. A leader that is followed by another every second would make it grow. */
  lives: 8,
} as const;

/** What the next mark says of late: what the last one said, and what was written since, of which it forgets the eldest. */
export function recentAfter(
  { document, seq }: Mark,
  { shared, hosts }: Pick<MarkDocument, 'shared' | 'hosts'>,
): RecentWrites {
  const old = document.recent ?? { after: seq, marks: [], shared: [], hosts: [] };
  // Written again, it is a later one.
  const keys = new Map<DocumentKey, number>([...old.shared, ...shared]);
  const owners = new Map<HostName, number>(old.hosts);
  for (const [host, , last] of hosts) owners.set(host, last);
  const newest = [...keys.values(), ...owners.values()].sort((a, b) => b - a);
  const after = Math.max(old.after, newest[RECENT.entries] ?? 0);
  const late = <K>(written: ReadonlyMap<K, number>): (readonly [K, number])[] =>
    [...written].filter(([, at]) => at > after).sort(([, a], [, b]) => b - a);
  return { after, marks: withMark(old.marks, document), shared: late(keys), hosts: late(owners) };
}

function withMark(marks: RecentWrites['marks'], { life, n }: MarkDocument): RecentWrites['marks'] {
  const last = marks.at(-1);
  if (last?.[0] === life) return [...marks.slice(0, -1), [life, last[1], n]];
  return [...marks, [life, n, n] as const].slice(-RECENT.lives);
}
