import { canonicalJson, equalJson, type Lineage, type Revision } from '#kernel';
import { type DocumentKey, type SetRef, type StateDocument, type TombstoneDocument } from '#contracts';

/** What stands, or is to stand, under each key. */
export type Documents = ReadonlyMap<DocumentKey, StateDocument>;

/** A key whose document changes, with its new document; a tombstone when it goes. */
export interface DocumentChange {
  readonly key: DocumentKey;
  readonly document: StateDocument;
}

/**
 * What a document says, apart from when it came to say it. `minRevision` tells which version of the group's document
 * was current at writing: it is no content either, else a change of a group would rewrite every port of it. So it is
 * with sets.
 */
function said(document: StateDocument): object {
  const { revision: _revision, ...content } = document;
  if (content.type === 'tombstone') return { type: content.type, key: content.key };
  const refs = setsOf(document);
  const named = refs.length === 0 ? content : { ...content, sets: refs.map(({ name }) => name) };
  if (named.type !== 'port') return named;
  const { minRevision: _minRevision, ...port } = named;
  return port;
}

/** Sets that the rules of a document name, and as of when each is to be held. */
export const setsOf = (document: StateDocument | null | undefined): readonly SetRef[] =>
  document?.type === 'port' || document?.type === 'group' || document?.type === 'switch'
    ? (document.sets ?? NO_SETS)
    : NO_SETS;

const NO_SETS: readonly SetRef[] = [];

/** That as a text: equal for equal contents. */
export const contentOf = (document: StateDocument): string => canonicalJson(said(document));

/** Whether `contentOf` both is the same, without writing it out: a new leader asks it of every document there is. */
export const sameContent = (a: StateDocument | undefined, b: StateDocument): boolean =>
  a === b || (a !== undefined && a.type === b.type && equalJson(said(a), said(b)));

export function tombstoneOf(
  document: StateDocument,
  lineage: Lineage,
  revision: Revision,
): TombstoneDocument {
  const of = document.type === 'tombstone' ? document.of : document.type;
  return { type: 'tombstone', schema: 1, key: document.key, lineage, revision, of };
}

/** Host of an own key `h.<host>.…`; null for a shared one. */
export function hostOfKey(key: DocumentKey): string | null {
  if (!key.startsWith('h.')) return null;
  const end = key.indexOf('.', 2);
  return end < 0 ? null : key.slice(2, end);
}

const RANK = { set: 0, switch: 1, group: 2, port: 3, host: 4 } as const;

/** Shared before ports before hosts: who reads in order never meets a name before what it stands for. */
export function rank(document: StateDocument): number {
  return RANK[document.type === 'tombstone' ? document.of : document.type];
}
