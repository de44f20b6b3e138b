export type {
  BindingRole,
  Document,
  DocumentKey,
  GroupDocument,
  HostDocument,
  MarkDocument,
  MigrationOrder,
  PortDocument,
  SignedDocument,
  StateDocument,
  SwitchDocument,
  TombstoneDocument,
} from './documents.js';
export type { Checkpoint, CounterSample, FactBatch, Report, Telemetry } from './reports.js';
export { KEYS, STREAMS, SUBJECTS } from './subjects.js';
