import Type, { type Static } from 'typebox';
import { CountersView, Metadata, Timestamp } from './common.js';
import { PolicyView, switchFeatureViews } from './policy.js';
import { PortStats, UplinkCounts } from './statistics.js';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });

/** What could not be carried out on a host. */
export const ExceptionView = Type.Object(
  { host: Text, port: nullable(Text), object: Text, code: Text, reason: Text },
  { title: 'Exception' },
);
export type ExceptionView = Static<typeof ExceptionView>;

/** Who is at the other end of an uplink, as it says itself by LLDP. */
export const NeighbourView = Type.Object(
  {
    chassis: Text,
    port: Text,
    ttl: Type.Integer({ minimum: 0, description: 'seconds for which it said so' }),
    portDescription: nullable(Text),
    systemName: nullable(Text),
    systemDescription: nullable(Text),
    capabilities: Type.Array(Text, { description: 'what it does at present, as in `bridge`' }),
    managementAddress: nullable(Text),
    others: Type.Integer({ minimum: 0, description: 'how many more are heard by this uplink' }),
  },
  { title: 'Neighbour' },
);
export type NeighbourView = Static<typeof NeighbourView>;

/** What of the fabric beyond an uplink is not as the switch needs it. */
export const HealthFaultView = Type.Object(
  {
    kind: Type.Enum(['vlan', 'mtu', 'teaming']),
    vlan: Type.Integer({ minimum: 0, description: '0: frames without a tag' }),
    reason: Type.String({ description: 'with what is to be done' }),
  },
  { title: 'HealthFault' },
);

export const UplinkHealthView = Type.Object(
  {
    hosts: Type.Integer({ minimum: 0, description: 'other hosts of the switch that were heard of late' }),
    answered: Type.Integer({ minimum: 0, description: 'VLANs in which somebody answered last' }),
    unheard: Type.Integer({ minimum: 0, description: 'VLANs in which nobody did' }),
    faults: Type.Array(HealthFaultView),
  },
  { title: 'UplinkHealth' },
);
export type UplinkHealthView = Static<typeof UplinkHealthView>;

/** What a host's agent last said; all null when it was never heard of. */
export const HostStatus = Type.Object(
  {
    state: Type.Enum(['up', 'late', 'silent', 'dead', 'unknown'], {
      description:
        'up: reported within 15 s; late: within 60 s; silent: longer ago; dead: by the word of somebody; unknown: never since this API runs',
    }),
    death: Type.Optional(Type.Object({ by: Text, reason: Text, at: Timestamp })),
    waitsFor: Type.Optional(
      Type.Array(Text, {
        description:
          'ports whose connectee is plugged in here while another host has them, or that were taken from here',
      }),
    ),
    realised: nullable(Count),
    received: nullable(Count),
    behind: nullable(Type.Integer({ minimum: 0, description: 'revisions not yet received' })),
    lastSeen: nullable(Timestamp),
    driver: nullable(Text),
    version: nullable(Text),
    tables: Type.Optional(
      Type.String({
        description:
          'a digest of all flows, groups and meters carried out: the same digits for the same tables of a host',
      }),
    ),
    ports: Type.Object({ active: Count, standby: Count, retiring: Count }),
    uplinks: Type.Array(
      Type.Object({
        switch: Text,
        uplink: Text,
        device: Text,
        up: nullable(Type.Boolean()),
        neighbour: nullable(NeighbourView),
        health: nullable(UplinkHealthView),
        counts: nullable(UplinkCounts),
        load: Type.Optional(
          Type.Object(
            {
              speed: Type.Number(),
              sent: Type.Number(),
              received: Type.Number(),
              moved: Type.Array(Text, { description: 'ports that were put on it for the load' }),
            },
            { description: 'bit/s over the last interval; only where ports go by load' },
          ),
        ),
        beacons: Type.Optional(
          Type.Enum(['heard', 'alone', 'unknown'], {
            description:
              'only where ports want it known. heard: another uplink hears it, and it hears that one; alone: others hear each other, and it has none; unknown: nobody hears anybody',
          }),
        ),
      }),
    ),
    exceptions: Type.Array(ExceptionView),
    drift: Type.Object(
      { count: Count, last: nullable(Timestamp) },
      { description: 'since this API keeps events' },
    ),
    vms: Type.Array(
      Type.Object({
        owner: Text,
        state: Text,
        sent: Type.Optional(Type.Number()),
        received: Type.Optional(Type.Number()),
      }),
    ),
  },
  { title: 'HostStatus' },
);

const resource = <K extends string>(kind: K) => ({
  apiVersion: Type.Literal('portolan.dev/v1'),
  kind: Type.Literal(kind),
  metadata: Metadata,
});

export const HostView = Type.Object(
  {
    ...resource('Host'),
    spec: Type.Object({
      labels: Type.Record(Text, Text),
      managementPath: nullable(Text),
      preload: Type.Array(Text),
      maintenance: Type.Boolean(),
      migrationLimit: Type.Integer({
        minimum: 1,
        description: 'guests that may leave at once, and that may arrive at once',
      }),
      foreignFlows: Type.Enum(['report', 'remove']),
    }),
    status: HostStatus,
  },
  { title: 'Host' },
);
export type HostView = Static<typeof HostView>;

export const SwitchView = Type.Object(
  {
    apiVersion: Type.Literal('portolan.dev/v1'),
    kind: Type.Enum(['DistributedSwitch', 'StandardSwitch']),
    metadata: Metadata,
    spec: Type.Object({
      uplinks: Type.Array(Text),
      mtu: Type.Integer(),
      policy: PolicyView,
      members: Type.Record(Text, Type.Record(Text, Text)),
      ...switchFeatureViews,
    }),
    status: Type.Object({
      groups: Count,
      ports: Count,
      connected: Count,
      health: Type.Array(
        Type.Object({ host: Text, uplink: Text, ...HealthFaultView.properties }, { title: 'SwitchFault' }),
        { description: 'what the health check found on any host' },
      ),
    }),
  },
  { title: 'Switch' },
);
export type SwitchView = Static<typeof SwitchView>;

export const GroupView = Type.Object(
  {
    ...resource('PortGroup'),
    spec: Type.Object({
      switch: Text,
      policy: PolicyView,
      overridable: Type.Array(Text),
      binding: Type.Enum(['static', 'ephemeral']),
      ports: Count,
      autoExpand: Type.Boolean(),
      autoShrink: Type.Boolean(),
      resetAtDisconnect: Type.Boolean(),
      partitionPolicy: Type.Enum(['keep', 'isolate']),
      startOffline: Type.Boolean(),
    }),
    status: Type.Object({ phase: Type.Enum(['open', 'closing']), ports: Count, connected: Count }),
  },
  { title: 'PortGroup' },
);
export type GroupView = Static<typeof GroupView>;

export const SetView = Type.Object(
  {
    apiVersion: Type.Literal('portolan.dev/v1'),
    kind: Type.Enum(['AddressSet', 'PortSet']),
    metadata: Metadata,
    spec: Type.Union([
      Type.Object({ addresses: Type.Array(Text, { maxItems: 10_000 }) }),
      Type.Object({ groups: Type.Array(Text), ports: Type.Array(Text), owners: Type.Array(Text) }),
    ]),
    status: Type.Object({
      members: Type.Integer({
        minimum: 0,
        description: 'prefixes; of a PortSet the MACs of the connected ports that it comes to now',
      }),
      namedBy: Type.Array(Text, { description: 'whose rules name it, as in `group web`' }),
    }),
  },
  { title: 'Set' },
);
export type SetView = Static<typeof SetView>;

export const BindingView = Type.Object({ host: Text, epoch: Count }, { title: 'Binding' });

export const PortView = Type.Object(
  {
    ...resource('Port'),
    spec: Type.Object({ override: PolicyView }),
    status: Type.Object({
      state: Type.Enum(['free', 'connected', 'bound', 'migrating', 'deleted'], {
        description: 'connected: has a connectee but no host yet; migrating: a standby is prepared elsewhere',
      }),
      group: Text,
      switch: Text,
      epoch: Count,
      connectee: nullable(Type.Object({ kind: Text, ifaceId: Text, mac: Text, owner: Text })),
      active: nullable(BindingView),
      standby: nullable(Type.Object({ host: Text, epoch: Count, migration: Text })),
      retiring: Type.Array(BindingView),
      claim: Type.Optional(
        Type.Object(
          { host: Text, reason: Text, since: Timestamp },
          { description: 'where its connectee is plugged in, too, and waits for the port; absent: nowhere' },
        ),
      ),
    }),
  },
  { title: 'Port' },
);
export type PortView = Static<typeof PortView>;

export const SegmentView = Type.Object(
  {
    host: Text,
    epoch: Count,
    incarnation: Text,
    openedAt: Timestamp,
    closedAt: nullable(Timestamp),
    counted: CountersView,
    live: Type.Boolean({ description: 'still open; counted up to the last telemetry' }),
    inexact: nullable(Type.Object({ checkpointAt: Timestamp, reason: Text })),
  },
  { title: 'Segment' },
);

export const LedgerView = Type.Object(
  {
    total: CountersView,
    folded: nullable(CountersView),
    segments: Type.Array(SegmentView),
    exact: Type.Boolean({ description: 'no segment was closed at a checkpoint' }),
    countedAt: nullable(Timestamp),
  },
  { title: 'Ledger' },
);
export type LedgerView = Static<typeof LedgerView>;

/** Everything known of one port. */
export const PortDescription = Type.Object(
  {
    lineage: nullable(Text),
    revision: Count,
    port: PortView,
    policy: Type.Array(
      Type.Object({
        field: Text,
        value: Type.Unknown(),
        origin: Type.Enum(['default', 'switch', 'group', 'port']),
      }),
    ),
    ignored: Type.Array(Type.Object({ field: Text, value: Type.Unknown(), reason: Text }), {
      description: 'overrides that are stored and that the group does not allow',
    }),
    ledger: LedgerView,
    stats: PortStats,
    exceptions: Type.Array(ExceptionView),
  },
  { title: 'PortDescription' },
);
export type PortDescription = Static<typeof PortDescription>;

export const MigrationView = Type.Object(
  {
    id: Text,
    origin: Type.Enum(['operator', 'observed']),
    owner: Text,
    source: Text,
    destination: Text,
    phase: Text,
    finished: Type.Boolean(),
    episode: Count,
    attempt: Count,
    deadline: nullable(Timestamp),
    requestedBy: Text,
    asked: nullable(Type.String({ description: 'why it was asked for, or why it goes where it goes' })),
    evacuation: nullable(Type.String({ description: 'that it is part of' })),
    reason: nullable(Text),
    ports: Type.Array(Type.Object({ port: Text, epoch: Count, activated: Type.Boolean() })),
    history: Type.Array(
      Type.Object({
        phase: Text,
        at: Timestamp,
        revision: Count,
        afterMs: Type.Number({ description: 'since the phase before' }),
        reason: nullable(Text),
      }),
    ),
    elapsedMs: Type.Number({ description: 'from the first phase to the last one recorded' }),
  },
  { title: 'Migration' },
);
export type MigrationView = Static<typeof MigrationView>;
