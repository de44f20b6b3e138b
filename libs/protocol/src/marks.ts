import { type MarkDocument, type NoteDocument } from '#contracts';

/** A mark with its place in the stream. */
export interface Mark {
  readonly document: MarkDocument;
  readonly seq: number;
}

export const isSame = (a: Mark, b: Mark): boolean =>
  a.seq === b.seq && a.document.n === b.document.n && a.document.life === b.document.life;

/** Whether nothing was written between two marks but what the second lists: it names the first one of these, and its life. */
export const isNext = (mark: MarkDocument, earlier: MarkDocument): boolean =>
  mark.prevLife === earlier.life && mark.prev <= earlier.n && earlier.n < mark.n;

/** Whether a mark goes on from an earlier one: it was written to the same stream, whoever wrote it and whatever lay between. */
export const goesOnFrom = (mark: MarkDocument, earlier: MarkDocument): boolean =>
  mark.lineage === earlier.lineage &&
  (mark.recent?.marks ?? []).some(
    ([life, first, last]) => life === earlier.life && first <= earlier.n && earlier.n <= last,
  );

/** Whether whoever holds all as of `chain` holds all as of `mark` with what that lists. */
export const follows = (mark: Mark, chain: Mark): boolean =>
  isNext(mark.document, chain.document) &&
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

/** Whether a note says all that was written since the mark. */
export const isSince = (note: NoteDocument, mark: MarkDocument): boolean =>
  note.life === mark.life && note.lineage === mark.lineage && note.prev <= mark.n && mark.n <= note.n;

/** Whether a note tells more than another one, which may have been overtaken. */
export const isLater = (note: NoteDocument, than: NoteDocument | null): boolean =>
  than === null || note.lineage !== than.lineage || note.revision >= than.revision;
