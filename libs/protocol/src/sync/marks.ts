import { type MarkDocument } from '#contracts';
import { goesOnFrom } from '../marks.js';

/** A mark with its place in the stream. */
export interface Mark {
  readonly document: MarkDocument;
  readonly seq: number;
}

export const isSame = (a: Mark, b: Mark): boolean =>
  a.seq === b.seq && a.document.n === b.document.n && a.document.life === b.document.life;

/** Whether nothing was written between two marks but what the second lists: it names the first one of these, and its life. */
export const follows = (mark: Mark, chain: Mark): boolean =>
  mark.document.prevLife === chain.document.life &&
  mark.document.prev <= chain.document.n &&
  chain.document.n < mark.document.n &&
  mark.document.lineage === chain.document.lineage &&
  mark.seq > chain.seq;

/** Whether whoever missed some marks has missed nothing but what this one knows of late. */
export const bridges = (mark: Mark, chain: Mark): boolean =>
  mark.seq > chain.seq &&
  goesOnFrom(mark.document, chain.document) &&
  chain.seq >= (mark.document.recent?.after ?? Number.POSITIVE_INFINITY);

/** Came late or twice: what it says is held already. */
export const isOld = (mark: Mark, chain: Mark): boolean =>
  mark.document.life === chain.document.life
    ? mark.document.n <= chain.document.n
    : goesOnFrom(chain.document, mark.document);
