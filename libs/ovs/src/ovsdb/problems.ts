import { messageOf, problem, ProblemError, type Problem, type ProblemCode } from '#kernel';
import { RpcRefusal } from '../json/rpc.js';

/** Errors of RFC 7047 and of ovsdb-server, by what they mean to the caller. */
const CODES: Readonly<Record<string, ProblemCode>> = {
  'constraint violation': 'invalid',
  'syntax error': 'invalid',
  'unknown column': 'invalid',
  'unknown table': 'invalid',
  'domain error': 'invalid',
  'range error': 'invalid',
  'referential integrity violation': 'conflict',
  'timed out': 'conflict',
  'not owner': 'conflict',
  'not supported': 'refused',
  'permission error': 'forbidden',
  'not leader': 'unavailable',
  'resources exhausted': 'unavailable',
  'I/O error': 'unavailable',
  aborted: 'unavailable',
};

/** The error object of one operation (`error`, `details`) as a problem. */
export function operationProblem(what: string, error: string, details: unknown): Problem {
  const said = typeof details === 'string' ? `${error}: ${details}` : error;
  return problem(CODES[error] ?? 'refused', `${what}: ${said.slice(0, 500)}`);
}

/** Whatever a request was rejected with, as a ProblemError. */
export function rpcProblem(cause: unknown): ProblemError {
  if (cause instanceof ProblemError) return cause;
  if (cause instanceof RpcRefusal) {
    const error = cause.error as { error?: unknown; details?: unknown } | string | null;
    const name =
      typeof error === 'string' ? error : typeof error?.error === 'string' ? error.error : 'refused';
    const details = typeof error === 'object' ? error?.details : undefined;
    return new ProblemError(operationProblem(cause.method, name, details), { cause });
  }
  return new ProblemError(problem('internal', messageOf(cause)), {
    cause,
  });
}
