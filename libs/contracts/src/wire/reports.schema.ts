import Type from 'typebox';
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
  list,
  mapOf,
  Millis,
  nullable,
  shape,
} from './scalars.js';

const PacketsBytes = shape({ packets: Count, bytes: Count });
const Direction = shape({ unicast: PacketsBytes, multicast: PacketsBytes, broadcast: PacketsBytes });
export const RawCountersSchema = shape({ in: Direction, out: Direction });

export const ReportSchema = shape({
  schema: Type.Literal(1),
  host: AHostName,
  lineage: ALineage,
  boot: AToken,
  realised: ARevision,
  received: ARevision,
  exceptions: list(shape({ port: nullable(APortId), object: AText, code: AText, reason: AText }), 20_000),
  time: Millis,
  n: Type.Optional(Count),
  version: AText,
  driver: Type.Union([Type.Literal('openvswitch'), Type.Literal('simulated')]),
});

const InterfaceFact = shape({
  ifaceId: AText,
  mac: AText,
  profile: nullable(AText),
  owner: AText,
  kind: Type.Union([Type.Literal('vm'), Type.Literal('container'), Type.Literal('kernel')]),
  switch: AText,
});
const Segment = { port: APortId, epoch: AnEpoch, incarnation: AToken, raw: RawCountersSchema };
const Difference = shape({ field: AText, expected: AText, found: AText });

/** Names in facts come from the hypervisor: bounded here, judged by the domain. */
export const FactSchema = Type.Union([
  shape({ type: Type.Literal('Inventory'), interfaces: list(InterfaceFact, 20_000) }),
  shape({ type: Type.Literal('InterfacePlugged'), interface: InterfaceFact }),
  shape({ type: Type.Literal('InterfaceUnplugged'), ifaceId: AText }),
  shape({ type: Type.Literal('PortActivated'), port: APortId, epoch: AnEpoch }),
  shape({ type: Type.Literal('SegmentOpened'), ...Segment }),
  shape({
    type: Type.Literal('SegmentClosed'),
    ...Segment,
    inexact: Type.Optional(shape({ checkpointAt: Millis, reason: AText })),
  }),
  shape({
    type: Type.Literal('HypervisorMigration'),
    migration: AMigrationId,
    attempt: Count,
    outcome: Type.Union([
      Type.Literal('started'),
      Type.Literal('completed'),
      Type.Literal('failed'),
      Type.Literal('aborted'),
      Type.Literal('unknown'),
    ]),
    reason: Type.Optional(AText),
  }),
  shape({
    type: Type.Literal('Drift'),
    object: AText,
    differences: list(Difference, 1000),
    repaired: Type.Boolean(),
    durationMs: Type.Number({ minimum: 0 }),
  }),
  shape({ type: Type.Literal('UplinkState'), switch: AText, uplink: AText, up: Type.Boolean() }),
]);

export const NumberedFactSchema = shape({ seq: Count, at: Millis, fact: FactSchema });

export const FactBatchSchema = shape({
  schema: Type.Literal(1),
  host: AHostName,
  boot: AToken,
  after: Type.Optional(Count),
  facts: list(NumberedFactSchema, 10_000),
});

const CounterSampleSchema = shape({
  ...Segment,
  dropped: Type.Optional(shape({ in: Count, out: Count })),
  ruleHits: Type.Optional(mapOf('^[^\\u0000]{1,256}$', Count, 'hits by rule name')),
});

export const CheckpointSchema = shape({
  schema: Type.Literal(1),
  host: AHostName,
  boot: AToken,
  time: Millis,
  counters: list(CounterSampleSchema, 20_000),
});

export const TelemetrySchema = shape({
  schema: Type.Literal(1),
  host: AHostName,
  boot: AToken,
  time: Millis,
  counters: list(CounterSampleSchema, 20_000),
  vms: list(
    shape({
      owner: AText,
      state: Type.Union([
        Type.Literal('running'),
        Type.Literal('paused'),
        Type.Literal('incoming'),
        Type.Literal('stopped'),
      ]),
      sent: Type.Optional(Count),
      received: Type.Optional(Count),
      migration: Type.Optional(AMigrationId),
    }),
    20_000,
  ),
  interfaces: list(
    shape({ name: AText, ifaceId: nullable(AText), port: nullable(APortId), state: AText }),
    20_000,
  ),
  uplinks: list(shape({ switch: AText, uplink: AText, device: AText, up: Type.Boolean() }), 4096),
});
