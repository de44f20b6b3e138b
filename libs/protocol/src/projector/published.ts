import { type Result } from '#kernel';
import {
  isStateDocument,
  KEYS,
  openDocumentBytes,
  type Document,
  type DocumentKey,
  type MarkDocument,
  type Signer,
  type Verifier,
} from '#contracts';
import { hostOfKey } from '../projection/documents.js';
import { type Published, type StoreContent, type StoredDocument } from './store.js';

/** Takes a message in as it stands in the store; later ones of a key go over earlier ones. */
export function takeStored(
  published: Published,
  { key, bytes, seq }: StoredDocument,
  verifier: Verifier,
): void {
  const opened: Result<Document> = openDocumentBytes(bytes, verifier, key);
  if (key === KEYS.mark) {
    if (opened.ok && opened.value.type === 'mark') published.mark = { document: opened.value, seq };
  } else {
    const document = opened.ok && isStateDocument(opened.value) ? opened.value : null;
    published.documents.set(key, { document, seq });
    published.unsure.add(key);
  }
  published.lastSeq = Math.max(published.lastSeq, seq);
}

export const nothingPublished = (): Published => ({
  lastSeq: 0,
  mark: null,
  documents: new Map(),
  unsure: new Set(),
});

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
  published = nothingPublished(),
): Promise<Published> {
  for (const [i, stored] of content.documents.entries()) {
    if (i % AT_A_STRETCH === AT_A_STRETCH - 1) await pause();
    takeStored(published, stored, verifier);
  }
  return { ...published, lastSeq: content.lastSeq };
}

/**
 * Ed25519 gives one text one signature: whether what stands was signed with our key is known by signing it again, at
 * half the cost of a check, and a new leader does that with everything that stands.
 */
export const ownFirst = (signer: Signer, verifier: Verifier): Verifier => ({
  verify: (body, sig, kid) =>
    kid === signer.kid ? signer.sign(body) === sig : verifier.verify(body, sig, kid),
});

/** The lists of a mark for keys and the sequences they were written at, in any order. */
export function listsOf(
  written: Iterable<readonly [DocumentKey, number]>,
): Pick<MarkDocument, 'shared' | 'hosts'> {
  const shared = new Map<DocumentKey, number>();
  const hosts = new Map<string, [number, number]>();
  for (const [key, seq] of written) {
    const host = hostOfKey(key);
    if (host === null) shared.set(key, Math.max(shared.get(key) ?? 0, seq));
    else {
      const [count, last] = hosts.get(host) ?? [0, 0];
      hosts.set(host, [count + 1, Math.max(last, seq)]);
    }
  }
  const rows = [...hosts].map(([host, [count, last]]) => [host, count, last] as const);
  return { shared: [...shared], hosts: rows as unknown as MarkDocument['hosts'] };
}
