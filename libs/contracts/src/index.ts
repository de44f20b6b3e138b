export type {
  CommandOutcome,
  CommandRequest,
  CommandResponse,
  HostException,
  HostStanding,
  ManagerStatus,
  StatusRequest,
  StatusResponse,
  WaitingHost,
  WaitOutcome,
  WaitRequest,
  WaitResponse,
} from './commands.js';
export type {
  BindingRole,
  Document,
  DocumentKey,
  GroupDocument,
  HostDocument,
  MarkDocument,
  MigrationOrder,
  Arrival,
  PortDocument,
  SetDocument,
  SetRef,
  SignedDocument,
  StateDocument,
  SwitchDocument,
  TombstoneDocument,
} from './documents.js';
export type {
  BesideLedger,
  Checkpoint,
  CounterSample,
  DeviceCounts,
  FactBatch,
  HealthFault,
  Neighbour,
  Report,
  RuleHits,
  Telemetry,
  UplinkHealth,
} from './reports.js';
export { MOST_CONNECTIONS, type CarriedConnection, type ConnectionsMessage } from './connections.js';
export { MOST_LOG_LINES, type RuleLog, type RuleLogIp, type RuleLogLine } from './rule-log.js';
export type { Handover, HandoverToken } from './handover.js';
export { openDocument, openDocumentBytes, sealDocument, type Signer, type Verifier } from './signing.js';
export { KEYS, STREAMS, SUBJECTS } from './subjects.js';
export {
  checkCommandRequest,
  checkCommandResponse,
  checkStatusRequest,
  checkStatusResponse,
  checkWaitRequest,
  checkWaitResponse,
  encodeBytes,
  encodeText,
  LIMITS,
  parseCheckpoint,
  parseCommandRequest,
  parseCommandResponse,
  parseConnections,
  parseDocument,
  parseFactBatch,
  parseReport,
  parseSignedDocument,
  parseStatusRequest,
  parseStatusResponse,
  parseTelemetry,
  parseWaitRequest,
  parseWaitResponse,
  type WireValue,
} from './wire/codecs.js';
export { type Decoder } from './wire/decode.js';
export { type SchemasAgree } from './wire/same-types.js';
