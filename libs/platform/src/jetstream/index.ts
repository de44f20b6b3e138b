export { JetStreamDocumentStore, type JetStreamStoreOptions } from './document-store.js';
export { FollowedDocuments, type FollowedOptions } from './followed-documents.js';
