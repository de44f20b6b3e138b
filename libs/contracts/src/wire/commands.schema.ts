import { type HostName } from '#kernel';
import { UplinkMapSchema } from './documents.schema.js';
import { PolicyFieldSchema, PolicyPatchSchema } from './policy.schema.js';
import { Abilities, NumberedFactSchema, RawCountersSchema } from './reports.schema.js';
import { ForeignFlows, switchFeatures } from './switch.schema.js';
import {
  ADeviceName,
  AGroupName,
  AHostName,
  ALineage,
  AMigrationId,
  AnEvacuationId,
  AnEpoch,
  APortId,
  ARevision,
  ASetName,
  ASwitchName,
  AText,
  AToken,
  Count,
  Millis,
  NAME_PATTERN,
} from './scalars.js';
import {
  bool,
  list,
  literal,
  mapOf,
  nullable,
  oneOf,
  optional,
  shape,
  union,
  type Schema,
} from './schema.js';

const Version = optional(Count);
const resource = <K, N, S>(kind: Schema<K>, name: Schema<N>, spec: Schema<S>) =>
  shape({ kind, name, version: Version, spec });

const HostSpec = shape({
  labels: mapOf('^[^\\u0000]{1,128}$', AText, 'labels'),
  managementPath: nullable(ADeviceName),
  preload: list(AGroupName, 10_000),
  maintenance: bool,
  migrationLimit: Count,
  foreignFlows: ForeignFlows,
});
type Members = Readonly<Record<HostName, Readonly<Record<string, string>>>>;
const SwitchSpec = shape({
  uplinks: list(AText, 64),
  mtu: Count,
  policy: PolicyPatchSchema,
  members: mapOf(NAME_PATTERN, UplinkMapSchema, 'host names and uplink maps') as Schema<Members>,
  ...switchFeatures,
});
const GroupSpec = shape({
  switch: ASwitchName,
  policy: PolicyPatchSchema,
  overridable: list(PolicyFieldSchema, 64),
  binding: oneOf('static', 'ephemeral'),
  ports: Count,
  autoExpand: bool,
  autoShrink: bool,
  resetAtDisconnect: bool,
  partitionPolicy: oneOf('keep', 'isolate'),
  startOffline: bool,
});

export const ResourceSchema = union([
  resource(literal('Host'), AHostName, HostSpec),
  resource(oneOf('DistributedSwitch', 'StandardSwitch'), ASwitchName, SwitchSpec),
  resource(literal('PortGroup'), AGroupName, GroupSpec),
  resource(literal('Port'), APortId, shape({ override: PolicyPatchSchema })),
  resource(literal('AddressSet'), ASetName, shape({ addresses: list(AText, 10_000) })),
  resource(
    literal('PortSet'),
    ASetName,
    shape({ groups: list(AGroupName, 10_000), ports: list(APortId, 10_000), owners: list(AText, 10_000) }),
  ),
]);

const Kind = oneOf(
  'Host',
  'DistributedSwitch',
  'StandardSwitch',
  'PortGroup',
  'Port',
  'AddressSet',
  'PortSet',
);
const Phase = oneOf(
  'admitted',
  'prepared',
  'moving',
  'switched',
  'completed',
  'aborting',
  'aborted',
  'failed',
  'unknown',
);
const connectee = shape({
  kind: oneOf('vm', 'container', 'kernel'),
  ifaceId: AText,
  mac: AText,
  owner: AText,
});

const Checkpoints = optional(
  list(
    shape({ port: APortId, epoch: AnEpoch, incarnation: AToken, raw: RawCountersSchema, at: Millis }),
    20_000,
  ),
);

export const CommandSchema = union([
  shape({ type: literal('Apply'), resources: list(ResourceSchema, 20_000) }),
  shape({
    type: literal('Delete'),
    kind: Kind,
    name: AText,
    version: Version,
    checkpoints: Checkpoints,
  }),
  shape({
    type: literal('GiveUpCounters'),
    host: AHostName,
    reason: AText,
    dead: optional(bool),
    fenced: optional(bool),
    checkpoints: Checkpoints,
  }),
  shape({
    type: literal('TakeOver'),
    host: AHostName,
    reason: AText,
    realised: optional(ARevision),
    checkpoints: Checkpoints,
  }),
  shape({
    type: literal('ConnectPort'),
    group: AText,
    port: optional(APortId),
    connectee,
  }),
  shape({ type: literal('DisconnectPort'), port: APortId, version: Version }),
  shape({ type: literal('MovePort'), port: APortId, group: AText, version: Version }),
  shape({ type: literal('ResetCounters'), port: APortId, at: RawCountersSchema, reason: AText }),
  shape({ type: literal('SetPort'), port: APortId, override: PolicyPatchSchema, version: Version }),
  shape({
    type: literal('IngestFacts'),
    host: AHostName,
    boot: AToken,
    after: optional(Count),
    facts: list(NumberedFactSchema, 10_000),
    abilities: optional(Abilities),
    suspects: optional(list(AHostName, 10_000)),
    checkpoints: Checkpoints,
  }),
  shape({
    type: literal('StartMigration'),
    owner: AText,
    destination: AHostName,
    attempt: optional(Count),
    reason: optional(AText),
  }),
  shape({
    type: literal('AdvanceMigration'),
    migration: AMigrationId,
    episode: Count,
    from: Phase,
    to: Phase,
    evidence: mapOf(NAME_PATTERN, Count, 'host names and revisions'),
    reason: optional(AText),
  }),
  shape({ type: literal('AbortMigration'), migration: AMigrationId, reason: AText }),
  shape({
    type: literal('TimeOutMigration'),
    migration: AMigrationId,
    episode: Count,
    stoodMs: optional(Count),
  }),
  shape({
    type: literal('StartEvacuation'),
    host: AHostName,
    to: optional(list(AHostName, 10_000)),
    parallel: optional(Count),
    attempts: optional(Count),
    reason: optional(AText),
  }),
  shape({
    type: literal('AdvanceEvacuation'),
    evacuation: AnEvacuationId,
    episode: Count,
    silent: optional(list(AHostName, 10_000)),
  }),
  shape({
    type: literal('AbortEvacuation'),
    evacuation: AnEvacuationId,
    reason: AText,
    abortRunning: optional(bool),
  }),
  shape({ type: literal('RecordRealised'), upTo: Count, hosts: Count }),
  shape({ type: literal('RaiseSchemaLevel'), level: Count }),
]);

export const CommandRequestSchema = shape({
  v: literal(1),
  commandId: AToken,
  actor: AText,
  reason: optional(AText),
  correlationId: AToken,
  command: CommandSchema,
});

export const WaitRequestSchema = shape({
  v: literal(1),
  correlationId: AToken,
  lineage: optional(ALineage),
  revision: ARevision,
  timeoutMs: Count,
});

export const StatusRequestSchema = shape({ v: literal(1), correlationId: AToken });
