import Type, { type TSchema } from 'typebox';
import { PolicyFieldSchema, PolicyPatchSchema } from './policy.schema.js';
import {
  ADeviceName,
  AGroupName,
  AHostName,
  ALineage,
  AMac,
  AMigrationId,
  AnEpoch,
  AnIfaceId,
  APortId,
  ARevision,
  ASwitchName,
  AText,
  AToken,
  Count,
  list,
  mapOf,
  Millis,
  nullable,
  shape,
} from './scalars.js';

const Key = Type.String({ pattern: '^[a-z0-9.-]{1,256}$', maxLength: 256, description: 'a document key' });

const document = <T extends string, P extends Record<string, TSchema>>(type: T, properties: P) =>
  shape({
    type: Type.Literal(type),
    schema: Type.Literal(1),
    key: Key,
    lineage: ALineage,
    revision: ARevision,
    ...properties,
  });

export const ConnecteeSchema = shape({
  kind: Type.Union([Type.Literal('vm'), Type.Literal('container'), Type.Literal('kernel')]),
  ifaceId: AnIfaceId,
  mac: AMac,
  owner: AText,
});

/** Uplink name → pNIC. */
export const UplinkMapSchema = mapOf('^[A-Za-z0-9_.:-]{1,64}$', ADeviceName, 'uplink names and pNICs');

export const HostDocumentSchema = document('host', {
  host: AHostName,
  switches: list(shape({ switch: ASwitchName, uplinks: UplinkMapSchema }), 4096),
  ports: list(APortId, 20_000),
  groups: list(AGroupName, 20_000),
  managementPath: nullable(ADeviceName),
  maintenance: Type.Boolean(),
  acceptedFactSeq: nullable(shape({ boot: AToken, seq: Count })),
  migrations: list(
    shape({
      migration: AMigrationId,
      attempt: Count,
      action: Type.Union([Type.Literal('start'), Type.Literal('abort')]),
      owner: AText,
      destination: AHostName,
    }),
    10_000,
  ),
  confirm: nullable(shape({ deadline: Millis, confirmed: ARevision })),
});

export const PortDocumentSchema = document('port', {
  port: APortId,
  host: AHostName,
  switch: ASwitchName,
  group: AGroupName,
  minRevision: ARevision,
  epoch: AnEpoch,
  role: Type.Union([Type.Literal('active'), Type.Literal('standby'), Type.Literal('retired')]),
  connectee: nullable(ConnecteeSchema),
  override: PolicyPatchSchema,
  handover: nullable(shape({ migration: AMigrationId, token: AMac, epoch: AnEpoch })),
  lease: Type.Null(),
});

export const SwitchDocumentSchema = document('switch', {
  switch: ASwitchName,
  kind: Type.Union([Type.Literal('distributed'), Type.Literal('standard')]),
  uplinks: list(AText, 64),
  mtu: Count,
  policy: PolicyPatchSchema,
});

export const GroupDocumentSchema = document('group', {
  group: AGroupName,
  switch: ASwitchName,
  policy: PolicyPatchSchema,
  overridable: list(PolicyFieldSchema, 64),
  binding: Type.Union([Type.Literal('static'), Type.Literal('ephemeral')]),
  partitionPolicy: Type.Union([Type.Literal('keep'), Type.Literal('isolate')]),
  startOffline: Type.Boolean(),
  phase: Type.Union([Type.Literal('open'), Type.Literal('closing')]),
});

export const TombstoneDocumentSchema = document('tombstone', {
  of: Type.Union([Type.Literal('port'), Type.Literal('switch'), Type.Literal('group'), Type.Literal('host')]),
});

export const MarkDocumentSchema = document('mark', {
  n: Count,
  life: AToken,
  prev: Count,
  prevLife: Type.String({ maxLength: 128 }),
  shared: list(Type.Tuple([Key, Count]), 100_000),
  hosts: list(Type.Tuple([AHostName, Count, Count]), 100_000),
  time: Millis,
});

/** By `type`. */
export const DOCUMENT_SCHEMAS = {
  host: HostDocumentSchema,
  port: PortDocumentSchema,
  switch: SwitchDocumentSchema,
  group: GroupDocumentSchema,
  tombstone: TombstoneDocumentSchema,
  mark: MarkDocumentSchema,
} as const;

export const DocumentSchema = Type.Union([
  HostDocumentSchema,
  PortDocumentSchema,
  SwitchDocumentSchema,
  GroupDocumentSchema,
  TombstoneDocumentSchema,
  MarkDocumentSchema,
]);

export const SignedDocumentSchema = shape({
  body: Type.String({ maxLength: 1_000_000 }),
  sig: Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$', maxLength: 128, description: 'base64url' }),
  kid: AToken,
});
