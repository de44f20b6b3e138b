import { err, ok, type Clock, type Lineage, type Result, type Revision } from '#kernel';
import {
  KEYS,
  sealDocument,
  type DocumentKey,
  type MarkDocument,
  type Signer,
  type StateDocument,
} from '#contracts';
import { setsOf } from '../projection/documents.js';
import { listsOf } from './published.js';
import { type Stands } from './desired.js';
import { recentAfter } from './recent.js';
import { type DocumentStore, type Published, type PutError } from './store.js';

/** Puts that may be without an answer at a time. */
const WINDOW = 1000;
/** A mark that would list more is written as a break of the chain: everyone reads everything once. */
const LISTED = 10_000;

export interface Batch {
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly documents: readonly StateDocument[];
  /** Written already, but not listed by any mark. */
  readonly unlisted: Written;
  /** `unlisted` was read from the store: what was written over meanwhile is not in it. */
  readonly asFound?: boolean;
}

/** More than ever comes between two marks: a host that is listed with it reads its own anew, whatever it heard. */
const UNCOUNTED = 1_000_000_000;

/** Keys, with the sequence that each was written at. */
export type Written = readonly (readonly [DocumentKey, number])[];

type Put = Promise<Result<{ readonly seq: number }, PutError>>;

export interface WriterOptions {
  readonly store: DocumentStore;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly life: string;
}

/**
 * Writes documents, then the mark (unless `isMarked` says otherwise), pipelined in one go: sequences are predicted, and
 * after one put that fails the stream refuses all that follow it, the mark too. `published` runs ahead of the answers:
 * after an error it is again what was known before, whatever was stored of the batch. Gives what no mark lists yet.
 */
export async function writeBatch(
  o: WriterOptions,
  published: Published,
  batch: Batch,
  isMarked = true,
): Promise<Result<Written, PutError>> {
  const { lastSeq, mark } = published;
  const replaced: (readonly [DocumentKey, Stands | undefined])[] = [];
  const written = await tryBatch(
    o,
    published,
    batch,
    (key) => replaced.push([key, published.documents.get(key)]),
    isMarked,
  );
  if (written.ok) return written;
  for (const [key, before] of replaced.reverse()) {
    if (before === undefined) published.documents.delete(key);
    else published.documents.set(key, before);
  }
  Object.assign(published, { lastSeq, mark });
  return written;
}

/** `replaces` is told of each document before it changes what is published. */
async function tryBatch(
  o: WriterOptions,
  published: Published,
  batch: Batch,
  replaces: (key: DocumentKey) => void,
  isMarked: boolean,
): Promise<Result<Written, PutError>> {
  const listed = [...batch.unlisted];
  let puts: Put[] = [];
  for (const document of batch.documents) {
    const current = dated(document, published);
    const seq = published.lastSeq + 1;
    puts.push(put(o, published, current));
    replaces(current.key);
    published.documents.set(current.key, { document: current, seq });
    listed.push([current.key, seq]);
    if (puts.length < WINDOW) continue;
    const failed = await firstError(puts);
    if (failed !== null) return err(failed);
    puts = [];
  }
  if (isMarked) {
    const mark = nextMark(o, published, batch, listed);
    puts.push(put(o, published, mark));
    published.mark = { document: mark, seq: published.lastSeq };
  }
  const failed = await firstError(puts);
  return failed === null ? ok(isMarked ? [] : listed) : err(failed);
}

function put(o: WriterOptions, published: Published, document: StateDocument | MarkDocument): Put {
  const expected = published.lastSeq;
  published.lastSeq += 1;
  return o.store.put(document.key, sealDocument(document, o.signer), expected);
}

/** The followers of a failed put fail for its sake: the first error is the cause. */
async function firstError(puts: readonly Put[]): Promise<PutError | null> {
  for (const result of await Promise.all(puts)) if (!result.ok) return result.error;
  return null;
}

function nextMark(o: WriterOptions, published: Published, batch: Batch, listed: Written): MarkDocument {
  const last = published.mark;
  const before = last?.document;
  const chained = last !== null && listed.length <= LISTED;
  const { shared, hosts } = listsOf(chained ? listed : []);
  const lists = {
    shared,
    hosts: batch.asFound === true ? hosts.map(([host, , at]) => [host, UNCOUNTED, at] as const) : hosts,
  };
  return {
    type: 'mark',
    schema: 1,
    key: KEYS.mark,
    lineage: batch.lineage,
    revision: batch.revision,
    n: (before?.n ?? 0) + 1,
    life: o.life,
    prev: before === undefined ? 0 : firstOf(before, o.life, batch.lineage),
    prevLife: chained ? last.document.life : '',
    ...lists,
    ...(chained ? { recent: recentAfter(last, lists) } : {}),
    time: o.clock.now(),
  };
}

/** The number of the earliest mark after which nothing was written but what was since `mark`. */
export const firstOf = (mark: MarkDocument, life: string, lineage: Lineage): number =>
  isQuiet(mark, life, lineage) ? mark.prev : mark.n;

/** Who held all as of the mark before this one holds all as of this one, too. */
const isQuiet = (mark: MarkDocument, life: string, lineage: Lineage): boolean =>
  mark.life === life &&
  mark.prevLife === life &&
  mark.lineage === lineage &&
  mark.shared.length === 0 &&
  mark.hosts.length === 0;

/**
 * A port's document says which version of its group's document is to be held, and each policy which of the sets that
 * it names, as those stand in the store: after
 * a restart the store may hold it under an earlier revision than a fresh projection would give it.
 */
function dated(document: StateDocument, published: Published): StateDocument {
  const standing = (key: DocumentKey): Revision | undefined => {
    const it = published.documents.get(key)?.document;
    return it?.lineage === document.lineage && it.type !== 'tombstone' ? it.revision : undefined;
  };
  const sets = setsOf(document).map(({ name, minRevision }) => ({
    name,
    minRevision: standing(KEYS.set(name)) ?? minRevision,
  }));
  const named = sets.length === 0 ? document : ({ ...document, sets } as StateDocument);
  if (named.type !== 'port') return named;
  return { ...named, minRevision: standing(KEYS.group(named.group)) ?? named.minRevision };
}
