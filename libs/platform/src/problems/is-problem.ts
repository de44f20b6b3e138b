import { PROBLEM_CODES, type Problem } from '#kernel';

const CODES: ReadonlySet<string> = new Set(PROBLEM_CODES);

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
