export {
  type AppendError,
  type CommitLog,
  type Following,
  type NewMessage,
  type StoredMessage,
  type Topic,
} from './commit-log.js';
export {
  type Accepted,
  type CommandMeta,
  type CommandRequest,
  type Commit,
  type CommitListener,
  type DecideContext,
  type Decider,
  type EventCodec,
  type StateCodec,
} from './decider.js';
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
