import {
  AHostName,
  ALineage,
  AMigrationId,
  AnEpoch,
  APortId,
  ARevision,
  AText,
  AToken,
  Count,
  Millis,
} from './scalars.js';
import { RuleLogSchema } from './rule-log.schema.js';
import {
  bool,
  list,
  literal,
  mapOf,
  nullable,
  number,
  oneOf,
  optional,
  shape,
  text,
  union,
  whole,
} from './schema.js';

const AVlan = whole(0, 'a VLAN; 0: frames without a tag', 4094);
const PacketsBytes = shape({ packets: Count, bytes: Count });
const Direction = shape({ unicast: PacketsBytes, multicast: PacketsBytes, broadcast: PacketsBytes });
export const RawCountersSchema = shape({ in: Direction, out: Direction });

export const ReportSchema = shape({
  schema: literal(1),
  host: AHostName,
  lineage: ALineage,
  boot: AToken,
  realised: ARevision,
  received: ARevision,
  exceptions: list(shape({ port: nullable(APortId), object: AText, code: AText, reason: AText }), 20_000),
  time: Millis,
  n: optional(Count),
  version: AText,
  driver: oneOf('openvswitch', 'simulated'),
});

export const LeaseQuestionSchema = shape({
  schema: literal(1),
  host: AHostName,
  boot: AToken,
  lineage: ALineage,
  realised: ARevision,
});

export const LeaseAnswerSchema = shape({ schema: literal(1), granted: bool, reason: optional(AText) });

const InterfaceFact = shape({
  ifaceId: AText,
  mac: AText,
  profile: nullable(AText),
  owner: AText,
  kind: oneOf('vm', 'container', 'kernel'),
  switch: AText,
});
const Segment = { port: APortId, epoch: AnEpoch, incarnation: AToken, raw: RawCountersSchema };
const Difference = shape({ field: AText, expected: AText, found: AText });

/** Names in facts come from the hypervisor: bounded here, judged by the domain. */
export const FactSchema = union([
  shape({ type: literal('Inventory'), interfaces: list(InterfaceFact, 20_000) }),
  shape({ type: literal('InterfacePlugged'), interface: InterfaceFact }),
  shape({ type: literal('InterfaceUnplugged'), ifaceId: AText }),
  shape({
    type: literal('PortActivated'),
    port: APortId,
    epoch: AnEpoch,
    at: optional(Millis),
    realised: optional(Count),
    carried: optional(Count),
  }),
  shape({ type: literal('StandbyReady'), port: APortId, epoch: AnEpoch, ready: bool }),
  shape({ type: literal('SegmentOpened'), ...Segment, owes: optional(list(AnEpoch, 1_000)) }),
  shape({
    type: literal('SegmentClosed'),
    ...Segment,
    inexact: optional(shape({ checkpointAt: Millis, reason: AText })),
    turnedAt: optional(Millis),
  }),
  shape({
    type: literal('HypervisorMigration'),
    migration: AMigrationId,
    attempt: Count,
    outcome: oneOf('started', 'completed', 'failed', 'aborted', 'unknown'),
    reason: optional(AText),
    pauseMs: optional(Millis),
    owner: optional(AText),
    destination: optional(AHostName),
  }),
  shape({
    type: literal('Drift'),
    object: AText,
    differences: list(Difference, 1000),
    repaired: bool,
    durationMs: number(0),
  }),
  shape({ type: literal('Flapping'), object: AText, count: number(1), from: Millis, to: Millis }),
  shape({
    type: literal('UplinkState'),
    switch: AText,
    uplink: AText,
    up: bool,
    speed: optional(Count),
    mtu: optional(Count),
  }),
  shape({ type: literal('UplinkVlans'), switch: AText, uplink: AText, missing: list(AVlan, 4095) }),
]);

export const NumberedFactSchema = shape({ seq: Count, at: Millis, fact: FactSchema });

/** A later version may have more than are known here. */
export const Abilities = list(AToken, 64);

export const FactBatchSchema = shape({
  schema: literal(1),
  host: AHostName,
  boot: AToken,
  after: optional(Count),
  abilities: optional(Abilities),
  facts: list(NumberedFactSchema, 10_000),
});

const BothWays = shape({ in: Count, out: Count });
const CounterSampleSchema = shape({
  ...Segment,
  dropped: optional(BothWays),
});

export const CheckpointSchema = shape({
  schema: literal(1),
  host: AHostName,
  boot: AToken,
  time: Millis,
  counters: list(CounterSampleSchema, 20_000),
});

const BesideLedgerSchema = shape({
  port: APortId,
  epoch: AnEpoch,
  lost: Count,
  exceptions: BothWays,
  pnic: optional(shape({ from: PacketsBytes, to: PacketsBytes })),
});

const DeviceCountsSchema = shape({
  switch: AText,
  device: AText,
  time: Millis,
  in: PacketsBytes,
  out: PacketsBytes,
  dropped: BothWays,
  errors: BothWays,
  refused: optional(Count),
});
const ARuleName = '^[^\\u0000]{1,256}$';

const NeighbourSchema = shape({
  switch: AText,
  uplink: AText,
  chassis: AText,
  port: AText,
  ttl: Count,
  portDescription: nullable(AText),
  systemName: nullable(AText),
  systemDescription: nullable(AText),
  capabilities: list(AText, 16),
  managementAddress: nullable(AText),
  others: Count,
});

const UplinkHealthSchema = shape({
  switch: AText,
  uplink: AText,
  hosts: Count,
  answered: Count,
  unheard: Count,
  faults: list(shape({ kind: oneOf('vlan', 'mtu', 'teaming'), vlan: Count, reason: AText }), 8192),
});

export const TelemetrySchema = shape({
  schema: literal(1),
  host: AHostName,
  boot: AToken,
  time: Millis,
  counters: list(CounterSampleSchema, 20_000),
  vms: list(
    shape({
      owner: AText,
      state: oneOf('running', 'paused', 'incoming', 'stopped'),
      sent: optional(Count),
      received: optional(Count),
      migration: optional(AMigrationId),
    }),
    20_000,
  ),
  interfaces: list(
    shape({ name: AText, ifaceId: nullable(AText), port: nullable(APortId), state: AText }),
    20_000,
  ),
  uplinks: list(shape({ switch: AText, uplink: AText, device: AText, up: bool }), 4096),
  loads: optional(
    list(
      shape({
        switch: AText,
        uplink: AText,
        speed: number(0),
        sent: number(0),
        received: number(0),
        moved: list(APortId, 20_000),
      }),
      4096,
    ),
  ),
  beside: optional(list(BesideLedgerSchema, 20_000)),
  devices: optional(list(DeviceCountsSchema, 4096)),
  neighbours: optional(list(NeighbourSchema, 4096)),
  tables: optional(text({ pattern: '^[0-9a-f]{16}$', maxLength: 16, description: 'a digest of all tables' })),
  rules: optional(
    list(
      shape({
        switch: AText,
        ports: list(APortId, 20_000),
        hits: mapOf(ARuleName, Count, 'hits by rule name'),
      }),
      20_000,
    ),
  ),
  beacons: optional(
    list(shape({ switch: AText, uplink: AText, state: oneOf('heard', 'alone', 'unknown') }), 4096),
  ),
  health: optional(list(UplinkHealthSchema, 4096)),
  log: optional(RuleLogSchema),
});
