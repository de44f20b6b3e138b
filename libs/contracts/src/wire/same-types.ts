import { type Command } from '#domain';
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
import {
  type CommandRequestSchema,
  type CommandSchema,
  type StatusRequestSchema,
  type WaitRequestSchema,
} from './commands.schema.js';
import { type ConnectionsSchema } from './connections.schema.js';
import { type DocumentSchema, type SignedDocumentSchema } from './documents.schema.js';
import {
  type CheckpointSchema,
  type FactBatchSchema,
  type LeaseAnswerSchema,
  type LeaseQuestionSchema,
  type ReportSchema,
  type TelemetrySchema,
} from './reports.schema.js';
import {
  type CommandResponseSchema,
  type StatusResponseSchema,
  type WaitResponseSchema,
} from './responses.schema.js';
import { type Static } from './schema.js';

/**
 * Assignable both ways, deeply readonly (schemas infer mutable types), and with optional fields made to count: one
 * that only one side has would pass for assignable.
 */
type Same<A, B> = Alike<Keyed<A>, Keyed<B>>;
type Alike<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** Optional fields as required ones that may also be `'absent'`. */
type Keyed<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly [unknown, ...unknown[]] | readonly []
    ? { readonly [K in keyof T]: Keyed<T[K]> }
    : T extends readonly (infer I)[]
      ? readonly Keyed<I>[]
      : { readonly [K in keyof T]-?: Keyed<T[K]> | (undefined extends T[K] ? 'absent' : never) };
type AllTrue<T extends readonly true[]> = T;

/** Does not compile when a schema and its interface part. */
export type SchemasAgree = AllTrue<
  [
    Same<Static<typeof DocumentSchema>, Document>,
    Same<Static<typeof SignedDocumentSchema>, SignedDocument>,
    Same<Static<typeof ReportSchema>, Report>,
    Same<Static<typeof LeaseQuestionSchema>, LeaseQuestion>,
    Same<Static<typeof LeaseAnswerSchema>, LeaseAnswer>,
    Same<Static<typeof FactBatchSchema>, FactBatch>,
    Same<Static<typeof CheckpointSchema>, Checkpoint>,
    Same<Static<typeof TelemetrySchema>, Telemetry>,
    Same<Static<typeof ConnectionsSchema>, ConnectionsMessage>,
    Same<Static<typeof CommandSchema>, Command>,
    Same<Static<typeof CommandRequestSchema>, CommandRequest>,
    Same<Static<typeof CommandResponseSchema>, CommandResponse>,
    Same<Static<typeof WaitRequestSchema>, WaitRequest>,
    Same<Static<typeof WaitResponseSchema>, WaitResponse>,
    Same<Static<typeof StatusRequestSchema>, StatusRequest>,
    Same<Static<typeof StatusResponseSchema>, StatusResponse>,
  ]
>;
