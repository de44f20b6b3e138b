import { type Result } from '#kernel';
import {
  KEYS,
  openDocumentBytes,
  type Document,
  type DocumentKey,
  type MarkDocument,
  type StateDocument,
  type Verifier,
} from '#contracts';
import { hostOfKey } from '../projection/documents.js';
import { type StoreContent } from './store.js';

/** What a projector knows to stand in the store. `null`: something that can't be read, to be written over. */
export interface Published {
  lastSeq: number;
  mark: { readonly document: MarkDocument; readonly seq: number } | null;
  readonly documents: Map<DocumentKey, { readonly document: StateDocument | null; readonly seq: number }>;
}

/** Documents opened at a stretch, some 20 ms of work. */
const AT_A_STRETCH = 100;

/**
 * Lets others have their turn after each stretch, by `pause`: with hundreds of hosts it takes seconds, and a leader that
 * did nothing else meanwhile would lose its lease, take over again, read again, and so on for ever.
 */
export async function readStore(
  content: StoreContent,
  verifier: Verifier,
  pause: () => Promise<void>,
): Promise<Published> {
  const documents: Published['documents'] = new Map();
  let mark: Published['mark'] = null;
  for (const [i, { key, bytes, seq }] of content.documents.entries()) {
    if (i % AT_A_STRETCH === AT_A_STRETCH - 1) await pause();
    const opened: Result<Document> = openDocumentBytes(bytes, verifier, key);
    if (key === KEYS.mark) {
      if (opened.ok && opened.value.type === 'mark') mark = { document: opened.value, seq };
    } else {
      const document = opened.ok && opened.value.type !== 'mark' ? opened.value : null;
      documents.set(key, { document, seq });
    }
  }
  return { lastSeq: content.lastSeq, mark, documents };
}

/** The lists of a mark for keys and the sequences they were written at. */
export function listsOf(
  written: Iterable<readonly [DocumentKey, number]>,
): Pick<MarkDocument, 'shared' | 'hosts'> {
  const shared: [DocumentKey, number][] = [];
  const hosts = new Map<string, [number, number]>();
  for (const [key, seq] of written) {
    const host = hostOfKey(key);
    if (host === null) shared.push([key, seq]);
    else {
      const [count, last] = hosts.get(host) ?? [0, 0];
      hosts.set(host, [count + 1, Math.max(last, seq)]);
    }
  }
  const rows = [...hosts].map(([host, [count, last]]) => [host, count, last] as const);
  return { shared, hosts: rows as unknown as MarkDocument['hosts'] };
}
