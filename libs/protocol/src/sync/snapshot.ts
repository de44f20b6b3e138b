import { type HostName, type Lineage, type Problem, type Revision } from '#kernel';
import { type DocumentKey, type StateDocument } from '#contracts';

/** Something that stands under a key but can't be read or trusted; it is not among the documents. */
export interface DocumentFault {
  readonly key: DocumentKey;
  readonly problem: Problem;
}

/** What a host holds, as of a mark: every document that concerns it, none older than `received`. */
export interface Snapshot {
  readonly host: HostName;
  /** Null before anything was received. */
  readonly lineage: Lineage | null;
  /** Everything up to here that concerns the host is held. */
  readonly received: Revision;
  /** The host's document, those of the ports it lists, and of the groups and switches that these need. */
  readonly documents: ReadonlyMap<DocumentKey, StateDocument>;
  readonly faults: readonly DocumentFault[];
  /** No mark for 3 s, or none yet: the centre may be gone. What is held stands. */
  readonly stale: boolean;
}
