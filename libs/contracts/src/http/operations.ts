import Type, { type Static } from 'typebox';
import { PacketsBytesView, ProblemBody, Timestamp } from './common.js';
import { PolicyInput } from './policy.js';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });

export const Status = Type.Object(
  {
    lineage: nullable(Text),
    revision: Count,
    time: nullable(Timestamp),
    digest: nullable(Type.String({ description: 'sha256 of the whole state; null when not asked for' })),
    leader: nullable(Text),
    managers: Type.Array(
      Type.Object({ id: Text, role: Text, revision: nullable(Count), lastSeen: nullable(Timestamp) }),
    ),
    hosts: Type.Object({
      total: Count,
      realised: Type.Integer({
        minimum: 0,
        description: 'hosts that realised the newest intent that concerns them',
      }),
      behind: Type.Array(
        Type.Object({ host: Text, state: Text, realised: nullable(Count), received: nullable(Count) }),
      ),
    }),
    exceptions: Count,
    refused: Type.Optional(
      Type.Array(Type.Object({ host: Text, kind: Text, count: Count }), {
        description: 'messages and facts of hosts that the leader refused since it began, by kind',
      }),
    ),
    counts: Type.Object({ switches: Count, groups: Count, ports: Count, connected: Count, migrating: Count }),
    version: Text,
    api: Type.Object(
      { follows: Type.Boolean(), problem: nullable(Text) },
      {
        description: 'whether this API follows the log, and why not',
      },
    ),
  },
  { title: 'Status' },
);
export type Status = Static<typeof Status>;

/** One event of a commit, told in a sentence. Secrets are left out. */
export const EventView = Type.Object(
  {
    lineage: Text,
    revision: Count,
    index: Type.Integer({ minimum: 0, description: 'within its commit' }),
    time: Timestamp,
    type: Text,
    objects: Type.Array(Text, { description: 'as kind/name, e.g. port/p3' }),
    sentence: Text,
    data: Type.Record(Text, Type.Unknown()),
    actor: Text,
    reason: nullable(Text),
    correlationId: Text,
    commandId: Text,
  },
  { title: 'Event' },
);
export type EventView = Static<typeof EventView>;

export const EventList = Type.Object(
  {
    lineage: nullable(Text),
    revision: Type.Integer({ minimum: 0, description: 'of the newest commit' }),
    from: Type.Integer({ minimum: 0 }),
    next: nullable(Type.Integer({ minimum: 1, description: 'give it as `from` to go on; null at the end' })),
    items: Type.Array(EventView),
  },
  { title: 'EventList' },
);
export type EventList = Static<typeof EventList>;

/** What a replayed log amounts to. */
export const ReplayReport = Type.Object(
  {
    lineage: nullable(Text),
    revision: Count,
    commits: Count,
    events: Count,
    digest: Text,
    elapsedMs: Type.Number(),
    counts: Type.Object({ hosts: Count, switches: Count, groups: Count, ports: Count, migrations: Count }),
    ledgers: Type.Array(
      Type.Object({
        port: Text,
        group: Text,
        owner: nullable(Text),
        in: PacketsBytesView,
        out: PacketsBytesView,
        segments: Count,
        open: Count,
        exact: Type.Boolean(),
      }),
    ),
    migrations: Type.Array(
      Type.Object({
        id: Text,
        owner: Text,
        source: Text,
        destination: Text,
        phase: Text,
        elapsedMs: Type.Number(),
      }),
    ),
  },
  { title: 'ReplayReport' },
);
export type ReplayReport = Static<typeof ReplayReport>;

/** Every ledger, recomputed from the log alone, beside what is shown of it. */
export const LedgerAudit = Type.Object(
  {
    lineage: nullable(Text),
    revision: Type.Integer({ minimum: 0, description: 'up to which the log was read' }),
    against: Type.Enum(['live', 'replay'], {
      description:
        'live: what this API shows; replay: what the log amounts to, of a past revision or of a file',
    }),
    commits: Count,
    ports: Type.Integer({ minimum: 0, description: 'with a ledger' }),
    segments: Type.Integer({ minimum: 0, description: 'ever opened' }),
    agree: Type.Boolean(),
    faults: Type.Array(Type.Object({ revision: Count, port: Text, what: Text }), {
      description: 'what stands in the log and no rule could have written; the first 1000',
    }),
    differences: Type.Array(
      Type.Object({ port: Text, what: Text, log: Type.Number(), shown: Type.Number() }),
      { description: 'the first 1000' },
    ),
    more: Type.Integer({ minimum: 0, description: 'faults and differences beyond these' }),
    elapsedMs: Type.Number(),
  },
  { title: 'LedgerAudit' },
);
export type LedgerAudit = Static<typeof LedgerAudit>;

/** A line of the answer while the log is read; the last one has `audit`, or `problem` where it could not be read. */
export const LedgerAuditLine = Type.Object(
  {
    progress: Type.Optional(Type.Object({ read: Count, of: Count }, { description: 'messages of the log' })),
    audit: Type.Optional(LedgerAudit),
    problem: Type.Optional(ProblemBody),
  },
  { title: 'LedgerAuditLine' },
);
export type LedgerAuditLine = Static<typeof LedgerAuditLine>;

export const ConnectRequest = Type.Object(
  {
    group: Text,
    port: Type.Optional(Type.String({ pattern: '^p[1-9][0-9]{0,14}$' })),
    connectee: Type.Object(
      { kind: Type.Enum(['vm', 'container', 'kernel']), ifaceId: Text, mac: Text, owner: Text },
      { additionalProperties: false },
    ),
  },
  { title: 'ConnectRequest', additionalProperties: false },
);
export type ConnectRequest = Static<typeof ConnectRequest>;

export const MoveRequest = Type.Object(
  { group: Text, version: Type.Optional(Count) },
  { title: 'MoveRequest', additionalProperties: false },
);
export type MoveRequest = Static<typeof MoveRequest>;

export const MigrateRequest = Type.Object(
  { owner: Text, destination: Text, reason: Type.Optional(Text) },
  { title: 'MigrateRequest', additionalProperties: false },
);
export type MigrateRequest = Static<typeof MigrateRequest>;

export const AbortRequest = Type.Object(
  { reason: Type.Optional(Text) },
  { title: 'AbortRequest', additionalProperties: false },
);
export type AbortRequest = Static<typeof AbortRequest>;

export const GiveUpRequest = Type.Object(
  {
    reason: Text,
    dead: Type.Optional(
      Type.Boolean({
        description: 'nothing runs there any more: its ports are let go. Not while it is heard of',
      }),
    ),
    fenced: Type.Optional(
      Type.Boolean({
        description:
          'with dead: its power was taken away, so that it counts that it was heard of just before',
      }),
    ),
  },
  { title: 'GiveUpRequest', additionalProperties: false },
);
export type GiveUpRequest = Static<typeof GiveUpRequest>;

export const OverrideRequest = Type.Object(
  { override: PolicyInput, version: Type.Optional(Count) },
  { title: 'OverrideRequest', additionalProperties: false },
);
export type OverrideRequest = Static<typeof OverrideRequest>;
