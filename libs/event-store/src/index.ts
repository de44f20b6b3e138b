export {
  readMessage,
  type Head,
  type Poison,
  type ReadMessage,
  type ReadRules,
  type Repudiations,
} from './chain-reader.js';
export { Archive } from './archive/archive.js';
export { ArchivedLog } from './archive/archived-log.js';
export { InMemoryArchive } from './archive/memory-archive.js';
export { replayAll, seal, trim, type SealOptions, type Trimmed } from './archive/seal.js';
export { type ArchiveStore, type Segment } from './archive/segment.js';
export { CommandIndex, DAY_MS, type KnownCommand } from './command-index.js';
export {
  appendEach,
  ArchivedError,
  type AppendError,
  type CommitLog,
  type Following,
  type LogBegin,
  type NewMessage,
  type StoredMessage,
  type Topic,
  type TrimmableLog,
} from './commit-log.js';
export {
  type Accepted,
  type Bulk,
  type CommandMeta,
  type CommandRequest,
  type Commit,
  type CommitListener,
  type DecideContext,
  type Decided,
  type Decider,
  type EventCodec,
  type EventMeta,
  type StateCodec,
} from './decider.js';
export { checkEnvelope, decodeEnvelope } from './envelope-decode.js';
export {
  CHUNK_TYPE,
  COMMIT_TYPE,
  encodeEnvelope,
  NO_HASH,
  type ChunkedData,
  type ChunkEnvelope,
  type CommitEnvelope,
  type Envelope,
  type EnvelopeAttributes,
  type Hash,
  type WireEvent,
} from './envelope.js';
export { Follower, type FollowerOptions, type FollowerStatus } from './follower.js';
export { InMemoryLog } from './in-memory-log.js';
export { catchUp, poisonProblem, startReplica, type Notice } from './load.js';
export {
  type ChunksAbandoned,
  type LineageOpened,
  type LogEvent,
  type Repudiated,
  type SchemaLevelRaised,
} from './log-events.js';
export { openSequencer, type Lost, type OpenOptions } from './open-sequencer.js';
export { type EndReason } from './pipeline.js';
export { messagesOfLines, replay, type Replayed } from './replay.js';
export { Replica, type Applied, type Folded, type ReplicaRules, type ReplicaState } from './replica.js';
export { repudiate, type RepudiateOptions } from './repudiate.js';
export { Sequencer, type SequencerOptions, type SequencerPhase } from './sequencer.js';
export {
  fromSnapshot,
  newestOf,
  stateDigest,
  toSnapshot,
  type SavedSnapshot,
  type SnapshotRules,
  type SnapshotSource,
  type SnapshotStore,
  type SnapshotToSave,
} from './snapshot.js';
export { type Hasher } from './snapshot-slices.js';
export { flatCodec, Upcasters, type Upcast } from './upcasters.js';
