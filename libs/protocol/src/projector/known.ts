import { KEYS, openDocumentBytes, type MarkDocument, type Verifier } from '#contracts';
import { ok, type Result } from '#kernel';
import { goesOnFrom, isNext } from '../marks.js';
import { readStore } from './published.js';
import { type DocumentStore, type KnownDocuments, type Published } from './store.js';

/** What the last term knew, for the next one. */
export class KeptDocuments implements KnownDocuments {
  #known: Published | null = null;

  get standing(): Published | null {
    return this.#known;
  }

  take(): Published | null {
    const known = this.#known;
    this.#known = null;
    return known;
  }

  keep(known: Published | null): void {
    this.#known = known;
  }
}

/**
 * Whether all that was written from one mark to a later one has a greater sequence and still stands, or was written
 * over or taken out. A life writes alone and counts up, so it does within one, and where the later mark goes on from the
 * other. A stream that came back older, or was made anew, has an earlier number, or another life.
 */
export function leadsTo(known: MarkDocument, now: MarkDocument): boolean {
  if (now.life === known.life) return now.n >= known.n;
  return isNext(now, known) || goesOnFrom(now, known);
}

/**
 * What stands, from what was known as of a mark and what was written after it. Null: the store does not go on from
 * there, and all of it is to be read.
 */
export async function readSince(
  store: DocumentStore,
  known: Published | null,
  verifier: Verifier,
  pause: () => Promise<void>,
): Promise<Result<Published | null>> {
  if (known === null || known.mark === null) return ok(null);
  const { document, seq } = known.mark;
  const found = await store.mark();
  if (!found.ok) return found;
  const now = found.value === null ? null : openDocumentBytes(found.value.bytes, verifier, KEYS.mark);
  if (!now?.ok || now.value.type !== 'mark' || !leadsTo(document, now.value)) return ok(null);
  // No mark has listed these yet: they are in the store, or were never.
  const unlisted = new Set<string>();
  for (const [key, stands] of known.documents) if (stands.seq > seq) unlisted.add(key);
  const loaded = await store.load(seq);
  if (!loaded.ok) return loaded;
  for (const { key } of loaded.value.documents) unlisted.delete(key);
  return ok(unlisted.size > 0 ? null : await readStore(loaded.value, verifier, pause, known));
}
