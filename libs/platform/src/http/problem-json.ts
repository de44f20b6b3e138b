import { type Problem, type ProblemCode, type ProblemDetail } from '#kernel';

/** RFC 9457, with our code, whether to retry, and each field's fault. */
export interface ProblemJson {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly retry: boolean;
  readonly errors: readonly ProblemDetail[];
  readonly instance?: string;
  readonly correlationId?: string;
}

const TABLE: Readonly<Record<ProblemCode, readonly [number, string]>> = {
  invalid: [422, 'The input is wrong'],
  'not-found': [404, 'There is no such thing'],
  conflict: [409, 'It changed meanwhile, or the name is taken'],
  forbidden: [403, 'Not allowed'],
  fenced: [409, 'Overtaken by a newer binding'],
  refused: [422, 'The current state does not allow it'],
  unavailable: [503, 'Not possible at the moment; nothing was done'],
  unknown: [504, 'It is not known whether it was done; ask again with the same command id'],
  internal: [500, 'A defect'],
};

/** 400 where the whole body could not be read, 422 where a field is wrong. */
export function statusOf(problem: Problem): number {
  if (problem.code === 'invalid' && !problem.details.some((d) => d.field !== '')) return 400;
  return TABLE[problem.code][0];
}

export function problemJson(problem: Problem, correlationId: string | undefined): ProblemJson {
  return {
    type: `urn:portolan:problem:${problem.code}`,
    title: TABLE[problem.code][1],
    status: statusOf(problem),
    detail: problem.message,
    code: problem.code,
    retry: problem.retry,
    errors: problem.details,
    ...(correlationId === undefined
      ? {}
      : { instance: `urn:portolan:request:${correlationId}`, correlationId }),
  };
}
