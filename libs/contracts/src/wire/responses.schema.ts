import { PROBLEM_CODES } from '#kernel';
import {
  AGroupName,
  AHostName,
  ALineage,
  AMigrationId,
  APortId,
  ARevision,
  AText,
  Count,
  Millis,
} from './scalars.js';
import { bool, code, list, literal, nullable, oneOf, optional, shape, text, union } from './schema.js';

const Words = text({ maxLength: 65_536 });
const Detail = shape({
  field: Words,
  value: optional(Words),
  reason: Words,
  expected: optional(Words),
});
export const ProblemSchema = shape({
  code: code(PROBLEM_CODES, 'a problem code'),
  message: Words,
  retry: bool,
  details: list(Detail, 10_000),
});

const failed = shape({ ok: literal(false), problem: ProblemSchema });

export const CommandResponseSchema = union([
  shape({
    ok: literal(true),
    revision: ARevision,
    lineage: ALineage,
    duplicate: optional(bool),
    events: optional(Count),
    affectedHosts: optional(list(AHostName, 100_000)),
    result: optional(
      shape({
        ports: optional(list(APortId, 100_000)),
        groups: optional(list(AGroupName, 100_000)),
        migration: optional(AMigrationId),
      }),
    ),
  }),
  failed,
]);

const Exceptions = list(
  shape({ port: nullable(APortId), object: AText, code: AText, reason: AText }),
  20_000,
);

export const WaitResponseSchema = union([
  shape({
    ok: literal(true),
    outcome: shape({
      done: bool,
      lineage: ALineage,
      revision: ARevision,
      targets: Count,
      realised: list(AHostName, 100_000),
      waiting: list(
        shape({
          host: AHostName,
          realised: nullable(ARevision),
          lastSeen: nullable(Millis),
          reason: oneOf('behind', 'down', 'exception'),
          exceptions: Exceptions,
        }),
        100_000,
      ),
    }),
  }),
  failed,
]);

export const StatusResponseSchema = union([
  shape({
    ok: literal(true),
    status: shape({
      manager: AText,
      role: oneOf('leader', 'standby'),
      lineage: nullable(ALineage),
      revision: ARevision,
      realisedUpTo: ARevision,
      hosts: list(
        shape({
          host: AHostName,
          state: oneOf('current', 'behind', 'down', 'ahead', 'other-lineage', 'unheard'),
          realised: nullable(ARevision),
          received: nullable(ARevision),
          lastSeen: nullable(Millis),
          exceptions: Exceptions,
          version: nullable(AText),
          driver: nullable(oneOf('openvswitch', 'simulated')),
        }),
        100_000,
      ),
      refused: optional(list(shape({ host: AText, kind: AText, count: Count }), 20_000)),
      time: Millis,
    }),
  }),
  failed,
]);
