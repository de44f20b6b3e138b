export { JetStreamDocumentStore, type JetStreamStoreOptions } from './document-store.js';
