import { detail, problem, ProblemError } from '#kernel';

/** The object, or 404 with its kind and name. */
export function found<T>(value: T | undefined, kind: string, name: string): T {
  if (value !== undefined) return value;
  const d = detail(kind, name, 'does not exist', `the name of a ${kind}; GET /v1/${plural(kind)} lists them`);
  throw new ProblemError(problem('not-found', `there is no ${kind} ${name.slice(0, 100)}`, [d]));
}

const plural = (kind: string): string => (kind === 'switch' ? 'switches' : `${kind}s`);
