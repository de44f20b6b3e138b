import { type MarkDocument, type RecentWrites } from '#contracts';

/** What a mark carries at most of what was written before it, since it goes to every host. */
export const RECENT = {
  entries: 32,
  /** Lives that it names. A leader that is followed by another every second would make it grow. */
  lives: 8,
} as const;

/** Whether a mark goes on from an earlier one: it was written to the same stream, whoever wrote it and whatever lay between. */
export const goesOnFrom = (mark: MarkDocument, earlier: MarkDocument): boolean =>
  mark.lineage === earlier.lineage &&
  (mark.recent?.marks ?? []).some(
    ([life, first, last]) => life === earlier.life && first <= earlier.n && earlier.n <= last,
  );

/** What the next mark says of late: what the last one said, and what was written since, of which it forgets the eldest. */
export function recentAfter(
  before: { readonly document: MarkDocument; readonly seq: number },
  { shared, hosts }: Pick<MarkDocument, 'shared' | 'hosts'>,
): RecentWrites {
  const { document, seq } = before;
  const old = document.recent ?? { after: seq, marks: [], shared: [], hosts: [] };
  const newest = new Map<string, { readonly isHost: boolean; readonly name: string; readonly seq: number }>();
  const note = (isHost: boolean, name: string, at: number): void => {
    const id = `${isHost ? 'host' : 'key'} ${name}`;
    // Written again, it is a later one.
    newest.delete(id);
    newest.set(id, { isHost, name, seq: at });
  };
  for (const [key, at] of [...old.shared, ...shared]) note(false, key, at);
  for (const [host, at] of old.hosts) note(true, host, at);
  for (const [host, , at] of hosts) note(true, host, at);
  const all = [...newest.values()].sort((a, b) => b.seq - a.seq);
  const kept = all.slice(0, RECENT.entries);
  const rows = (isHost: boolean) =>
    kept.filter((e) => e.isHost === isHost).map((e) => [e.name, e.seq] as const);
  return {
    after: Math.max(old.after, all[RECENT.entries]?.seq ?? 0),
    marks: withMark(old.marks, document),
    shared: rows(false),
    hosts: rows(true) as unknown as RecentWrites['hosts'],
  };
}

function withMark(marks: RecentWrites['marks'], { life, n }: MarkDocument): RecentWrites['marks'] {
  const last = marks.at(-1);
  if (last?.[0] === life) return [...marks.slice(0, -1), [life, last[1], n]];
  return [...marks, [life, n, n] as const].slice(-RECENT.lives);
}
