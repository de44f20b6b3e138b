import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { invalid, ProblemError } from '#kernel';
import { currentCorrelation } from '#platform';
import { type WriteMeta } from '../writes/write.service.js';

const COMMAND_ID = /^[A-Za-z0-9_.:/-]{1,128}$/;
const ACTOR = /^[A-Za-z0-9_.@-]{1,64}$/;

/** Who asks, under which id, and why, out of the request's headers. */
export function writeMeta(headers: IncomingHttpHeaders, wait?: number, reason?: string): WriteMeta {
  return {
    commandId:
      header(headers, 'idempotency-key', COMMAND_ID, '1 to 128 letters, digits and _ . : / -') ??
      randomUUID(),
    correlationId: currentCorrelation() ?? randomUUID(),
    actor: header(headers, 'x-portolan-actor', ACTOR, '1 to 64 letters, digits and _ . @ -') ?? 'operator',
    reason,
    wait,
  };
}

function header(
  headers: IncomingHttpHeaders,
  name: string,
  rule: RegExp,
  expected: string,
): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && rule.test(value)) return value;
  throw new ProblemError(invalid(name, value, 'is malformed', expected));
}

/** The version that a change is based on: `?version=` or `If-Match: "7"`. */
export function versionOf(headers: IncomingHttpHeaders, query: number | undefined): number | undefined {
  const match = headers['if-match'];
  if (match === undefined || match === '*') return query;
  const number = /^(?:W\/)?"(\d{1,15})"$/.exec(match)?.[1];
  if (number === undefined) {
    throw new ProblemError(
      invalid('If-Match', match, 'is not a version', 'the version in quotes, as in "7"'),
    );
  }
  if (query !== undefined && query !== Number(number)) {
    throw new ProblemError(
      invalid('version', query, 'differs from If-Match', `${number}, or only one of them`),
    );
  }
  return Number(number);
}
