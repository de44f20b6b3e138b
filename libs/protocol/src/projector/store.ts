import { type HostName, type Result } from '#kernel';
import { type DocumentKey, type StateDocument } from '#contracts';
import { type Mark } from '../marks.js';

/**
 * Why a put did not answer with a sequence. `wrong-last-sequence`: something else was written meanwhile; not stored.
 * `unavailable`: certainly not stored. `unknown`: it may be stored, now or later.
 */
export type PutError = 'wrong-last-sequence' | 'unavailable' | 'unknown' | 'too-large';

export interface StoredDocument {
  readonly key: DocumentKey;
  readonly bytes: Uint8Array;
  readonly seq: number;
}

export interface StoreContent {
  /** Sequence of the last message ever stored, taken before the documents were read. */
  readonly lastSeq: number;
  readonly documents: readonly StoredDocument[];
}

/** What a projector knows to stand in the store. `null`: something that can't be read, to be written over. */
export interface Published {
  lastSeq: number;
  mark: Mark | null;
  readonly documents: Map<DocumentKey, { readonly document: StateDocument | null; readonly seq: number }>;
  /** Keys that nobody has compared with what is wanted since they were read. */
  readonly unsure: Set<DocumentKey>;
}

/** What one process knows of the store between its terms. */
export interface KnownDocuments {
  /** What `take` would give, for a look. */
  readonly standing: Published | null;
  /** Given away: it becomes a projector's. Null: nothing is known. */
  take(): Published | null;
  keep(known: Published | null): void;
}

/** The last-value stream as the projector needs it. */
export interface DocumentStore {
  /** The mark that stands; null: there is none. */
  mark(): Promise<Result<StoredDocument | null>>;
  /**
   * What stands there of sequences greater than `after`, by default everything, in their order. What was written while
   * it read may be missing: the next expectation finds out.
   */
  load(after?: number): Promise<Result<StoreContent>>;
  /**
   * Stores at `expectedLastSeq + 1`, or not at all. Calls may overlap: with expectations n, n+1, n+2… given without
   * waiting, they are stored in that order, and after one that failed none of its followers is.
   * (The number alone does not see to that: where somebody else wrote two messages, the third of ours fits again. An
   * adapter also names the message that must go before.)
   */
  put(
    key: DocumentKey,
    bytes: Uint8Array,
    expectedLastSeq: number,
  ): Promise<Result<{ readonly seq: number }, PutError>>;
  /** To one host, at once and past the stream: it may be lost. */
  tell(host: HostName, note: Uint8Array): void;
  /** Takes one message out, by its sequence; not being there is no error. */
  remove(seq: number): Promise<Result<void>>;
}
