import { describe, detail, problem, ProblemError } from '#kernel';

/** The object, or 404 with its kind and name. */
export function found<T>(value: T | undefined, kind: string, name: string): T {
  if (value !== undefined) return value;
  const d = detail(kind, name, `there is no such ${kind}`);
  throw new ProblemError(problem('not-found', describe(d), [d]));
}
