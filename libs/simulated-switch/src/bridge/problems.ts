import { detail, problem, ProblemError, type ProblemCode } from '#kernel';

export const refuse = (
  field: string,
  value: unknown,
  reason: string,
  code: ProblemCode = 'refused',
): ProblemError => new ProblemError(problem(code, `${field}: ${reason}`, [detail(field, value, reason)]));
