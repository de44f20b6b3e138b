import Type, { type Static, type TSchema } from 'typebox';

/** The one version of the HTTP interface and of the resource files. */
export { API_VERSION } from '#domain';

export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** Name and, for optimistic concurrency, the revision of the last change of intent. */
export const Metadata = Type.Object(
  { name: Type.String(), version: Type.Integer({ minimum: 0 }) },
  { title: 'Metadata' },
);
export type Metadata = Static<typeof Metadata>;

/** One page of a list, in the order of names, as of one revision. */
export const listOf = <T extends TSchema>(item: T) =>
  Type.Object({
    lineage: Type.Union([Type.String(), Type.Null()]),
    revision: Count('as of'),
    total: Count('how many match, on all pages'),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'give it as `after` to go on; null at the end',
    }),
    items: Type.Array(item),
  });
export interface ListOf<T> {
  readonly lineage: string | null;
  readonly revision: number;
  readonly total: number;
  readonly next: string | null;
  readonly items: readonly T[];
}

export const PacketsBytesView = Type.Object(
  { packets: Type.Number({ minimum: 0 }), bytes: Type.Number({ minimum: 0 }) },
  { title: 'PacketsBytes' },
);
export const DirectionView = Type.Object(
  { unicast: PacketsBytesView, multicast: PacketsBytesView, broadcast: PacketsBytesView },
  { title: 'DirectionCounters' },
);
export const CountersView = Type.Object(
  { in: DirectionView, out: DirectionView },
  { title: 'Counters', description: '`in` is what the connectee sent, `out` what the switch handed to it' },
);
export type CountersView = Static<typeof CountersView>;

/** One wrong thing; `source` says where in a YAML or JSON text it stands, where that is known. */
export const ErrorDetail = Type.Object(
  {
    field: Type.String(),
    value: Type.Optional(Type.String()),
    reason: Type.String(),
    expected: Type.Optional(Type.String()),
  },
  { title: 'ErrorDetail' },
);
export type ErrorDetail = Static<typeof ErrorDetail>;

/** RFC 9457. */
export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.Optional(Type.String()),
    code: Type.String(),
    retry: Type.Boolean({ description: 'the same request can succeed later' }),
    errors: Type.Array(ErrorDetail),
    correlationId: Type.Optional(Type.String()),
    commandId: Type.Optional(Type.String()),
  },
  { title: 'Problem', additionalProperties: true },
);
export type ProblemBody = Static<typeof ProblemBody>;

/** How far a revision is carried out. */
export const Realised = Type.Object(
  {
    lineage: Type.String(),
    revision: Type.Integer({ minimum: 0 }),
    realised: Type.Boolean({ description: 'on every host concerned, without an exception' }),
    hosts: Count('hosts where it is realised'),
    of: Count('hosts concerned'),
    elapsedMs: Type.Number({ minimum: 0, description: 'from asking to this answer' }),
    waiting: Type.Array(
      Type.Object({
        host: Type.String(),
        realised: Type.Union([Type.Integer(), Type.Null()]),
        reason: Type.String(),
      }),
    ),
    exceptions: Type.Array(
      Type.Object({
        host: Type.String(),
        port: Type.Union([Type.String(), Type.Null()]),
        object: Type.String(),
        code: Type.String(),
        reason: Type.String(),
      }),
    ),
  },
  { title: 'Realised' },
);
export type Realised = Static<typeof Realised>;

export const Change = Type.Object(
  {
    kind: Type.String(),
    name: Type.String(),
    change: Type.Enum(['created', 'changed', 'deleted']),
    fields: Type.Array(Type.String(), { description: 'dotted paths of what differs; empty unless changed' }),
  },
  { title: 'Change' },
);
export type Change = Static<typeof Change>;

/** Answer to every write. With `dryRun` nothing was done and the revision is that of the state asked. */
export const WriteResult = Type.Object(
  {
    lineage: Type.Union([Type.String(), Type.Null()]),
    revision: Type.Integer({ minimum: 0 }),
    dryRun: Type.Boolean(),
    repeated: Type.Boolean({ description: 'the command had been answered before' }),
    changed: Type.Array(Change),
    unchanged: Count('resources that were already as stated'),
    realised: Type.Optional(Realised),
  },
  { title: 'WriteResult' },
);
export type WriteResult = Static<typeof WriteResult>;
