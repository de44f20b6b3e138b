import { type Problem } from '#kernel';
import Type from 'typebox';
import {
  AGroupName,
  AHostName,
  ALineage,
  AMigrationId,
  APortId,
  ARevision,
  AText,
  Count,
  list,
  Millis,
  nullable,
  shape,
} from './scalars.js';

const Words = Type.String({ maxLength: 65_536 });
const Detail = shape({
  field: Words,
  value: Type.Optional(Words),
  reason: Words,
  expected: Type.Optional(Words),
});
const CODES: readonly Problem['code'][] = [
  'invalid',
  'not-found',
  'conflict',
  'forbidden',
  'fenced',
  'refused',
  'unavailable',
  'unknown',
  'internal',
];
export const ProblemSchema = shape({
  code: Type.Unsafe<Problem['code']>({ type: 'string', enum: [...CODES], description: 'a problem code' }),
  message: Words,
  retry: Type.Boolean(),
  details: list(Detail, 10_000),
});

const failed = shape({ ok: Type.Literal(false), problem: ProblemSchema });

export const CommandResponseSchema = Type.Union([
  shape({
    ok: Type.Literal(true),
    revision: ARevision,
    lineage: ALineage,
    duplicate: Type.Optional(Type.Boolean()),
    events: Type.Optional(Count),
    affectedHosts: Type.Optional(list(AHostName, 100_000)),
    result: Type.Optional(
      shape({
        ports: Type.Optional(list(APortId, 100_000)),
        groups: Type.Optional(list(AGroupName, 100_000)),
        migration: Type.Optional(AMigrationId),
      }),
    ),
  }),
  failed,
]);

const Exceptions = list(
  shape({ port: nullable(APortId), object: AText, code: AText, reason: AText }),
  20_000,
);

export const WaitResponseSchema = Type.Union([
  shape({
    ok: Type.Literal(true),
    outcome: shape({
      done: Type.Boolean(),
      lineage: ALineage,
      revision: ARevision,
      targets: Count,
      realised: list(AHostName, 100_000),
      waiting: list(
        shape({
          host: AHostName,
          realised: nullable(ARevision),
          lastSeen: nullable(Millis),
          reason: Type.Union([Type.Literal('behind'), Type.Literal('down'), Type.Literal('exception')]),
          exceptions: Exceptions,
        }),
        100_000,
      ),
    }),
  }),
  failed,
]);

export const StatusResponseSchema = Type.Union([
  shape({
    ok: Type.Literal(true),
    status: shape({
      manager: AText,
      role: Type.Union([Type.Literal('leader'), Type.Literal('standby')]),
      lineage: nullable(ALineage),
      revision: ARevision,
      digest: AText,
      realisedUpTo: ARevision,
      hosts: list(
        shape({
          host: AHostName,
          state: Type.Union([
            Type.Literal('current'),
            Type.Literal('behind'),
            Type.Literal('down'),
            Type.Literal('ahead'),
            Type.Literal('other-lineage'),
            Type.Literal('unheard'),
          ]),
          realised: nullable(ARevision),
          received: nullable(ARevision),
          lastSeen: nullable(Millis),
          exceptions: Exceptions,
          version: nullable(AText),
          driver: nullable(Type.Union([Type.Literal('openvswitch'), Type.Literal('simulated')])),
        }),
        100_000,
      ),
      time: Millis,
    }),
  }),
  failed,
]);
