import { type HostName, type Revision } from '#kernel';
import { KEYS, type DocumentKey, type NoteDocument } from '#contracts';
import { hostOfKey } from '../projection/documents.js';
import { type Mark } from '../marks.js';
import { listsOf } from './published.js';
import { firstOf, type Written } from './writer.js';

/** How many hosts are told apart of a batch that concerns no others, by the number of hosts; else a mark tells all. */
export type NotesAtMost = (hosts: number) => number;

/** With fewer hosts than this for each that is concerned a mark costs as little, and waits for no answer of the store. */
const HOSTS_FOR_EACH = 16;

export const notesByHosts: NotesAtMost = (hosts) => Math.floor(hosts / HOSTS_FOR_EACH);

/** Documents that notes may tell of until a mark does: each says all that is shared of them. */
export const MOST_UNLISTED = 256;

/** Hosts that documents of these keys concern; null: more than `most`. `carrying`: who carries a shared one out. */
export function concernedBy(
  keys: Iterable<DocumentKey>,
  carrying: (key: DocumentKey) => Iterable<HostName>,
  most: number,
): ReadonlySet<HostName> | null {
  const hosts = new Set<HostName>();
  for (const key of keys) {
    const own = hostOfKey(key) as HostName | null;
    for (const host of own === null ? carrying(key) : [own]) if (hosts.add(host).size > most) return null;
  }
  return hosts;
}

/** What each host is told of all that was written since the mark. */
export function notesFor(
  hosts: Iterable<HostName>,
  { document: mark }: Mark,
  revision: Revision,
  unlisted: Written,
): NoteDocument[] {
  const { shared, hosts: owners } = listsOf(unlisted);
  const own = new Map(owners.map(([host, count, last]) => [host, [count, last] as const]));
  const { life, n, lineage } = mark;
  const prev = firstOf(mark, life, lineage);
  return [...hosts].map((host) => ({
    type: 'note',
    schema: 1,
    key: KEYS.note(host),
    lineage,
    revision,
    host,
    life,
    prev,
    n,
    own: own.get(host) ?? [0, 0],
    shared,
  }));
}
