export { Election, type ElectionOptions } from './election.js';
export { FileArchive } from './file-archive.js';
export { FileSnapshots } from './file-snapshots.js';
export { sha256, sha256Hasher } from './hash.js';
export { JetStreamLog, type JetStreamLogOptions } from './jetstream-log.js';
export {
  CKPT_STREAM,
  DOCS_STREAM,
  ensureStream,
  FACTS_STREAM,
  LOG_STREAM,
  refuseReplicas,
  type StreamSpec,
} from './streams.js';
