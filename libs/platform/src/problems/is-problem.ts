import { type Problem, type ProblemCode } from '#kernel';

const CODES: ReadonlySet<string> = new Set<ProblemCode>([
  'invalid',
  'not-found',
  'conflict',
  'forbidden',
  'fenced',
  'refused',
  'unavailable',
  'unknown',
  'internal',
]);

/** Whether a value read from outside has the shape of a Problem. */
export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const p = value as Partial<Record<keyof Problem, unknown>>;
  return (
    typeof p.code === 'string' &&
    CODES.has(p.code) &&
    typeof p.message === 'string' &&
    typeof p.retry === 'boolean' &&
    Array.isArray(p.details)
  );
}
