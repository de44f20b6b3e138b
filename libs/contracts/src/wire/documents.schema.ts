import { PolicyFieldSchema, PolicyPatchSchema, VlanSchema } from './policy.schema.js';
import { ForeignFlows, switchFeatures } from './switch.schema.js';
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
  ASetName,
  ASwitchName,
  AText,
  AToken,
  Count,
  Millis,
} from './scalars.js';
import {
  bool,
  list,
  literal,
  mapOf,
  nothing,
  nullable,
  oneOf,
  optional,
  shape,
  text,
  tuple,
  union,
  type Fields,
} from './schema.js';

const Key = text({ pattern: '^[a-z0-9.-]{1,256}$', maxLength: 256, description: 'a document key' });

const document = <T extends string, P extends Fields>(type: T, properties: P) =>
  shape({
    type: literal(type),
    schema: literal(1),
    key: Key,
    lineage: ALineage,
    revision: ARevision,
    ...properties,
  });

export const ConnecteeSchema = shape({
  kind: oneOf('vm', 'container', 'kernel'),
  ifaceId: AnIfaceId,
  mac: AMac,
  owner: AText,
});

/** Uplink name → pNIC. */
export const UplinkMapSchema = mapOf('^[A-Za-z0-9_.:-]{1,64}$', ADeviceName, 'uplink names and pNICs');

const Sets = optional(list(shape({ name: ASetName, minRevision: ARevision }), 1024));

export const HostDocumentSchema = document('host', {
  host: AHostName,
  switches: list(shape({ switch: ASwitchName, uplinks: UplinkMapSchema }), 4096),
  ports: list(APortId, 20_000),
  groups: list(AGroupName, 20_000),
  managementPath: nullable(ADeviceName),
  maintenance: bool,
  foreignFlows: ForeignFlows,
  acceptedFactSeq: nullable(shape({ boot: AToken, seq: Count })),
  migrations: list(
    shape({
      migration: AMigrationId,
      attempt: Count,
      action: oneOf('start', 'abort'),
      owner: AText,
      destination: AHostName,
      held: optional(literal(true)),
    }),
    10_000,
  ),
  arrivals: optional(list(shape({ migration: AMigrationId, attempt: Count, owner: AText }), 10_000)),
  confirm: nullable(shape({ deadline: Millis, confirmed: ARevision })),
});

export const PortDocumentSchema = document('port', {
  port: APortId,
  host: AHostName,
  switch: ASwitchName,
  group: AGroupName,
  minRevision: ARevision,
  epoch: AnEpoch,
  role: oneOf('active', 'standby', 'retired'),
  connectee: nullable(ConnecteeSchema),
  override: PolicyPatchSchema,
  sets: Sets,
  handover: nullable(shape({ migration: AMigrationId, token: AMac, epoch: AnEpoch })),
  lease: nothing,
});

export const SwitchDocumentSchema = document('switch', {
  switch: ASwitchName,
  kind: oneOf('distributed', 'standard'),
  uplinks: list(AText, 64),
  mtu: Count,
  policy: PolicyPatchSchema,
  sets: Sets,
  ...switchFeatures,
});

export const GroupDocumentSchema = document('group', {
  group: AGroupName,
  switch: ASwitchName,
  policy: PolicyPatchSchema,
  sets: Sets,
  overridable: list(PolicyFieldSchema, 64),
  binding: oneOf('static', 'ephemeral'),
  partitionPolicy: oneOf('keep', 'isolate'),
  startOffline: bool,
  phase: oneOf('open', 'closing'),
});

export const SetDocumentSchema = document('set', {
  set: ASetName,
  members: union([
    shape({ kind: literal('addresses'), addresses: list(AText, 10_000) }),
    shape({
      kind: literal('ports'),
      places: nullable(
        list(shape({ switch: ASwitchName, vlan: VlanSchema, macs: list(AMac, 50_000) }), 10_000),
      ),
    }),
  ]),
});

export const TombstoneDocumentSchema = document('tombstone', {
  of: oneOf('port', 'switch', 'group', 'host', 'set'),
});

export const MarkDocumentSchema = document('mark', {
  n: Count,
  life: AToken,
  prev: Count,
  prevLife: text({ maxLength: 128 }),
  shared: list(tuple([Key, Count]), 100_000),
  hosts: list(tuple([AHostName, Count, Count]), 100_000),
  recent: optional(
    shape({
      after: Count,
      marks: list(tuple([AToken, Count, Count]), 64),
      shared: list(tuple([Key, Count]), 1024),
      hosts: list(tuple([AHostName, Count]), 1024),
    }),
  ),
  time: Millis,
});

export const NoteDocumentSchema = document('note', {
  host: AHostName,
  life: AToken,
  prev: Count,
  n: Count,
  own: tuple([Count, Count]),
  shared: list(tuple([Key, Count]), 1024),
});

/** By `type`. */
export const DOCUMENT_SCHEMAS = {
  host: HostDocumentSchema,
  port: PortDocumentSchema,
  switch: SwitchDocumentSchema,
  group: GroupDocumentSchema,
  set: SetDocumentSchema,
  tombstone: TombstoneDocumentSchema,
  mark: MarkDocumentSchema,
  note: NoteDocumentSchema,
} as const;

export const DocumentSchema = union([
  HostDocumentSchema,
  PortDocumentSchema,
  SwitchDocumentSchema,
  GroupDocumentSchema,
  SetDocumentSchema,
  TombstoneDocumentSchema,
  MarkDocumentSchema,
  NoteDocumentSchema,
]);

export const SignedDocumentSchema = shape({
  body: text({ maxLength: 1_000_000 }),
  sig: text({ pattern: '^[A-Za-z0-9_-]{1,128}$', maxLength: 128, description: 'base64url' }),
  kid: AToken,
});
