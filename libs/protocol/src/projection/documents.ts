import { canonicalJson, type Lineage, type Revision } from '#kernel';
import { type DocumentKey, type StateDocument, type TombstoneDocument } from '#contracts';

/** What stands, or is to stand, under each key. */
export type Documents = ReadonlyMap<DocumentKey, StateDocument>;

/** A key whose document changes, with its new document; a tombstone when it goes. */
export interface DocumentChange {
  readonly key: DocumentKey;
  readonly document: StateDocument;
}

/**
 * What a document says, apart from when it came to say it. `minRevision` tells which version of the group's document
 * was current at writing: it is no content either, else a change of a group would rewrite every port of it.
 */
export function contentOf(document: StateDocument): string {
  const { revision: _revision, ...content } = document;
  if (content.type === 'tombstone') return canonicalJson({ type: content.type, key: content.key });
  if (content.type !== 'port') return canonicalJson(content);
  const { minRevision: _minRevision, ...port } = content;
  return canonicalJson(port);
}

/** Whether `contentOf` both is the same, without writing it out: a new leader asks it of every document there is. */
export function sameContent(a: StateDocument | undefined, b: StateDocument): boolean {
  if (a === undefined || a.type !== b.type) return a === b;
  if (a.type === 'tombstone') return a.key === b.key;
  return a === b || sameFields(a, b, a.type === 'port' ? STAMP_OF_PORT : STAMP);
}

const STAMP: ReadonlySet<string> = new Set(['revision']);
const STAMP_OF_PORT: ReadonlySet<string> = new Set(['revision', 'minRevision']);
const NONE: ReadonlySet<string> = new Set();

function sameFields(a: object, b: object, but: ReadonlySet<string>): boolean {
  const of = a as Readonly<Record<string, unknown>>;
  const and = b as Readonly<Record<string, unknown>>;
  for (const key in of) if (!but.has(key) && !sameValue(of[key], and[key])) return false;
  for (const key in and) if (of[key] === undefined && and[key] !== undefined && !but.has(key)) return false;
  return true;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (!Array.isArray(a) || !Array.isArray(b))
    return Array.isArray(a) === Array.isArray(b) && sameFields(a, b, NONE);
  return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
}

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

const RANK = { switch: 0, group: 1, port: 2, host: 3 } as const;

/** Shared before ports before hosts: who reads in order never meets a name before what it stands for. */
export function rank(document: StateDocument): number {
  return RANK[document.type === 'tombstone' ? document.of : document.type];
}
