import { describe, detail, problem, ProblemError, type ProblemDetail } from '#kernel';
import { ValidationPipe, type ValidationError } from '@nestjs/common';

/** class-validator at the edge: unknown properties are refused, every fault is named by its path. */
export function problemValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    exceptionFactory: (errors) => new ProblemError(problemOfValidation(errors)),
  });
}

export function problemOfValidation(errors: readonly ValidationError[]) {
  const details = errors.flatMap((error) => detailsOf(error, ''));
  return problem('invalid', details.map(describe).join(' | '), details);
}

function detailsOf(error: ValidationError, above: string): ProblemDetail[] {
  const path = above === '' ? error.property : `${above}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((reason) =>
    detail(path, error.value as unknown, reason),
  );
  return [...own, ...(error.children ?? []).flatMap((child) => detailsOf(child, path))];
}
