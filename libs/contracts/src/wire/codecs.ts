import { canonicalJson } from '#kernel';
import {
  type CommandRequest,
  type CommandResponse,
  type StatusRequest,
  type StatusResponse,
  type WaitRequest,
  type WaitResponse,
} from '../commands.js';
import { type ConnectionsMessage } from '../connections.js';
import { type Document, type SignedDocument } from '../documents.js';
import {
  type Checkpoint,
  type FactBatch,
  type LeaseAnswer,
  type LeaseQuestion,
  type Report,
  type Telemetry,
} from '../reports.js';
import { CommandRequestSchema, StatusRequestSchema, WaitRequestSchema } from './commands.schema.js';
import { ConnectionsSchema } from './connections.schema.js';
import { checker, decoder } from './decode.js';
import { DocumentSchema, SignedDocumentSchema } from './documents.schema.js';
import { fullCommand, fullDocument } from './forms.js';
import {
  CheckpointSchema,
  FactBatchSchema,
  LeaseAnswerSchema,
  LeaseQuestionSchema,
  ReportSchema,
  TelemetrySchema,
} from './reports.schema.js';
import { CommandResponseSchema, StatusResponseSchema, WaitResponseSchema } from './responses.schema.js';

/** Largest encoded form of each wire type, bytes. A NATS server carries 1 MiB by default. */
export const LIMITS = {
  document: 1_000_000,
  report: 500_000,
  lease: 4_096,
  facts: 500_000,
  checkpoint: 1_000_000,
  telemetry: 1_000_000,
  connections: 500_000,
  command: 1_000_000,
  response: 1_000_000,
} as const;

export const parseDocument = decoder<Document>('document', DocumentSchema, LIMITS.document, fullDocument);
export const parseSignedDocument = decoder<SignedDocument>(
  'signed document',
  SignedDocumentSchema,
  LIMITS.document,
);
export const parseReport = decoder<Report>('report', ReportSchema, LIMITS.report);
export const parseLeaseQuestion = decoder<LeaseQuestion>('lease question', LeaseQuestionSchema, LIMITS.lease);
export const parseLeaseAnswer = decoder<LeaseAnswer>('lease answer', LeaseAnswerSchema, LIMITS.lease);
export const parseFactBatch = decoder<FactBatch>('fact batch', FactBatchSchema, LIMITS.facts);
export const parseCheckpoint = decoder<Checkpoint>('checkpoint', CheckpointSchema, LIMITS.checkpoint);
export const parseTelemetry = decoder<Telemetry>('telemetry', TelemetrySchema, LIMITS.telemetry);
export const parseConnections = decoder<ConnectionsMessage>(
  'connections',
  ConnectionsSchema,
  LIMITS.connections,
);
export const parseCommandRequest = decoder<CommandRequest>(
  'command',
  CommandRequestSchema,
  LIMITS.command,
  fullCommand,
);
export const parseCommandResponse = decoder<CommandResponse>(
  'answer',
  CommandResponseSchema,
  LIMITS.response,
);
export const parseWaitRequest = decoder<WaitRequest>('wait request', WaitRequestSchema, LIMITS.command);
export const parseWaitResponse = decoder<WaitResponse>('answer', WaitResponseSchema, LIMITS.response);
export const parseStatusRequest = decoder<StatusRequest>(
  'status request',
  StatusRequestSchema,
  LIMITS.command,
);
export const parseStatusResponse = decoder<StatusResponse>('answer', StatusResponseSchema, LIMITS.response);

/** For requests that a transport has parsed from JSON already. */
export const checkCommandRequest = checker<CommandRequest>('command', CommandRequestSchema, fullCommand);
export const checkWaitRequest = checker<WaitRequest>('wait request', WaitRequestSchema);
export const checkStatusRequest = checker<StatusRequest>('status request', StatusRequestSchema);
export const checkCommandResponse = checker<CommandResponse>('answer', CommandResponseSchema);
export const checkWaitResponse = checker<WaitResponse>('answer', WaitResponseSchema);
export const checkStatusResponse = checker<StatusResponse>('answer', StatusResponseSchema);

export type WireValue =
  | Document
  | SignedDocument
  | Report
  | LeaseQuestion
  | LeaseAnswer
  | FactBatch
  | Checkpoint
  | Telemetry
  | ConnectionsMessage
  | CommandRequest
  | CommandResponse
  | WaitRequest
  | WaitResponse
  | StatusRequest
  | StatusResponse;

const utf8 = new TextEncoder();

/** Canonical JSON text: what is signed and digested. */
export const encodeText = (value: WireValue): string => canonicalJson(value);
/** Canonical JSON as UTF-8 bytes: what travels. */
export const encodeBytes = (value: WireValue): Uint8Array => utf8.encode(canonicalJson(value));
