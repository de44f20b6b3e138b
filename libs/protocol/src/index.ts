export {
  contentOf,
  hostOfKey,
  sameContent,
  type DocumentChange,
  type Documents,
} from './projection/documents.js';
export { keysOfHost, projectAll, projectAllInTurns } from './projection/project-all.js';
export { project, takeChanges, withChanges } from './projection/project.js';
export { touchedBy } from './projection/touched.js';
export { KeptDocuments } from './projector/known.js';
export { ReadyDocuments, takeOn, type Prepared, type ReadyOptions } from './projector/ready.js';
export { RECENT } from './projector/recent.js';
export { type NotesAtMost } from './projector/notes.js';
export { Projector, type ProjectorOptions } from './projector/projector.js';
export { nothingPublished, ownFirst, takeStored } from './projector/published.js';
export {
  type DocumentStore,
  type KnownDocuments,
  type PutError,
  type StoreContent,
  type StoredDocument,
  type Published,
} from './projector/store.js';
export { Reporter, type ReporterOptions, type Standing } from './reporter/reporter.js';
export { fromDisk, toDisk, type TextDigest } from './sync/disk.js';
export { DocumentSync, type DocumentSyncOptions } from './sync/document-sync.js';
export { type DocumentFault, type Snapshot } from './sync/snapshot.js';
export { type DocumentSource, type Received, type SourceListener } from './sync/source.js';
export { Holdings } from './realised/holdings.js';
export { RealisedTracker } from './realised/tracker.js';
