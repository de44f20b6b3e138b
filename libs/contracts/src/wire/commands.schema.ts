import { type HostName } from '#kernel';
import Type, { type TSchema } from 'typebox';
import { UplinkMapSchema } from './documents.schema.js';
import { PolicyFieldSchema, PolicyPatchSchema } from './policy.schema.js';
import { NumberedFactSchema, RawCountersSchema } from './reports.schema.js';
import {
  ADeviceName,
  AGroupName,
  AHostName,
  ALineage,
  AMigrationId,
  AnEpoch,
  APortId,
  ARevision,
  ASwitchName,
  AText,
  AToken,
  Count,
  list,
  mapOf,
  Millis,
  NAME_PATTERN,
  nullable,
  shape,
} from './scalars.js';

const Version = Type.Optional(Count);
const resource = <K extends TSchema, N extends TSchema, S extends TSchema>(kind: K, name: N, spec: S) =>
  shape({ kind, name, version: Version, spec });

const HostSpec = shape({
  labels: mapOf('^[^\\u0000]{1,128}$', AText, 'labels'),
  managementPath: nullable(ADeviceName),
  preload: list(AGroupName, 10_000),
  maintenance: Type.Boolean(),
});
type Members = Record<HostName, Record<string, string>>;
const SwitchSpec = shape({
  uplinks: list(AText, 64),
  mtu: Count,
  policy: PolicyPatchSchema,
  members: mapOf<typeof UplinkMapSchema, Members>(
    NAME_PATTERN,
    UplinkMapSchema,
    'host names and uplink maps',
  ),
});
const GroupSpec = shape({
  switch: ASwitchName,
  policy: PolicyPatchSchema,
  overridable: list(PolicyFieldSchema, 64),
  binding: Type.Union([Type.Literal('static'), Type.Literal('ephemeral')]),
  ports: Count,
  autoExpand: Type.Boolean(),
  resetAtDisconnect: Type.Boolean(),
  partitionPolicy: Type.Union([Type.Literal('keep'), Type.Literal('isolate')]),
  startOffline: Type.Boolean(),
});

export const ResourceSchema = Type.Union([
  resource(Type.Literal('Host'), AHostName, HostSpec),
  resource(
    Type.Union([Type.Literal('DistributedSwitch'), Type.Literal('StandardSwitch')]),
    ASwitchName,
    SwitchSpec,
  ),
  resource(Type.Literal('PortGroup'), AGroupName, GroupSpec),
  resource(Type.Literal('Port'), APortId, shape({ override: PolicyPatchSchema })),
]);

const Kind = Type.Union([
  Type.Literal('Host'),
  Type.Literal('DistributedSwitch'),
  Type.Literal('StandardSwitch'),
  Type.Literal('PortGroup'),
  Type.Literal('Port'),
]);
const Phase = Type.Union([
  Type.Literal('admitted'),
  Type.Literal('prepared'),
  Type.Literal('moving'),
  Type.Literal('switched'),
  Type.Literal('completed'),
  Type.Literal('aborting'),
  Type.Literal('aborted'),
  Type.Literal('failed'),
  Type.Literal('unknown'),
]);
const connectee = shape({
  kind: Type.Union([Type.Literal('vm'), Type.Literal('container'), Type.Literal('kernel')]),
  ifaceId: AText,
  mac: AText,
  owner: AText,
});

const Checkpoints = Type.Optional(
  list(
    shape({ port: APortId, epoch: AnEpoch, incarnation: AToken, raw: RawCountersSchema, at: Millis }),
    20_000,
  ),
);

export const CommandSchema = Type.Union([
  shape({ type: Type.Literal('Apply'), resources: list(ResourceSchema, 20_000) }),
  shape({
    type: Type.Literal('Delete'),
    kind: Kind,
    name: AText,
    version: Version,
    checkpoints: Checkpoints,
  }),
  shape({
    type: Type.Literal('GiveUpCounters'),
    host: AHostName,
    reason: AText,
    checkpoints: Checkpoints,
  }),
  shape({
    type: Type.Literal('ConnectPort'),
    group: AText,
    port: Type.Optional(APortId),
    connectee,
  }),
  shape({ type: Type.Literal('DisconnectPort'), port: APortId, version: Version }),
  shape({ type: Type.Literal('SetPort'), port: APortId, override: PolicyPatchSchema, version: Version }),
  shape({
    type: Type.Literal('IngestFacts'),
    host: AHostName,
    boot: AToken,
    after: Type.Optional(Count),
    facts: list(NumberedFactSchema, 10_000),
    checkpoints: Checkpoints,
  }),
  shape({
    type: Type.Literal('StartMigration'),
    owner: AText,
    destination: AHostName,
    attempt: Type.Optional(Count),
  }),
  shape({
    type: Type.Literal('AdvanceMigration'),
    migration: AMigrationId,
    episode: Count,
    from: Phase,
    to: Phase,
    evidence: mapOf(NAME_PATTERN, Count, 'host names and revisions'),
    reason: Type.Optional(AText),
  }),
  shape({ type: Type.Literal('AbortMigration'), migration: AMigrationId, reason: AText }),
  shape({ type: Type.Literal('TimeOutMigration'), migration: AMigrationId, episode: Count }),
  shape({ type: Type.Literal('RecordRealised'), upTo: Count, hosts: Count }),
  shape({ type: Type.Literal('RaiseSchemaLevel'), level: Count }),
]);

export const CommandRequestSchema = shape({
  v: Type.Literal(1),
  commandId: AToken,
  actor: AText,
  reason: Type.Optional(AText),
  correlationId: AToken,
  command: CommandSchema,
});

export const WaitRequestSchema = shape({
  v: Type.Literal(1),
  correlationId: AToken,
  lineage: Type.Optional(ALineage),
  revision: ARevision,
  timeoutMs: Count,
});

export const StatusRequestSchema = shape({ v: Type.Literal(1), correlationId: AToken });
