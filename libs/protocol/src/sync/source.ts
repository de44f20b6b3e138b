import { type Result } from '#kernel';
import { type DocumentKey } from '#contracts';

export interface Received {
  readonly bytes: Uint8Array;
  /** Sequence in the document stream. */
  readonly seq: number;
}

export interface SourceListener {
  /** A republished document; may be lost, late, twice or out of order. Must not throw. */
  message(key: DocumentKey, received: Received): void;
  /** A note; it may be lost, late, twice or out of order. Must not throw. */
  note(bytes: Uint8Array): void;
  /** The connection was gone: anything may have been missed. */
  reconnected(): void;
}

/** The document stream as one agent may use it. */
export interface DocumentSource {
  /** Own documents, notes and marks from now on, and shared documents that are followed. The returned function ends it. */
  subscribe(listener: SourceListener): () => void;
  /**
   * The shared documents to hand over from now on, in the place of those of the last call; others may come, too. What
   * is missed until the server knows of it is no loss: a mark lists it.
   */
  follow(keys: ReadonlySet<DocumentKey>): void;
  /** Returns when the server has seen the subscription, and all that it sent before has been handed over. */
  flush(): Promise<Result<void>>;
  /**
   * The last version; null when there is none. **Never older than what this source handed over or returned before**:
   * the proof of "received" rests on that. (A stream of one replica does it by itself.)
   */
  get(key: DocumentKey): Promise<Result<Received | null>>;
}
