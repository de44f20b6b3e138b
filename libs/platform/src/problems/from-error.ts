import { problem, ProblemError, type Problem, type ProblemCode } from '#kernel';
import { HttpException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { isProblem } from './is-problem.js';

/** Whatever was thrown, as a problem. What nobody foresaw is `internal`, and keeps its text to itself. */
export function problemFromError(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof RpcException) return problemFromError(error.getError());
  if (error instanceof HttpException) return fromHttp(error);
  const bodyFault = bodyParserFault(error);
  if (bodyFault !== undefined) return bodyFault;
  if (isProblem(error)) return error;
  return problem('internal', 'an unforeseen fault; the log of the service has it under the correlation id');
}

/** Whether the fault is a defect of ours, so that the log should carry its stack. */
export const isDefect = (error: unknown): boolean => problemFromError(error).code === 'internal';

function fromHttp(error: HttpException): Problem {
  return problem(codeOfStatus(error.getStatus()), error.message);
}

/** Express' body parser throws http-errors with a `type`: they are the client's faults. */
function bodyParserFault(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('type' in error) || !('status' in error)) return undefined;
  if (typeof error.type !== 'string' || typeof error.status !== 'number' || error.status >= 500)
    return undefined;
  return problem('invalid', error.message, [
    { field: '', reason: error.message, expected: 'a body that the content type and length announce' },
  ]);
}

function codeOfStatus(status: number): ProblemCode {
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  if (status === 401 || status === 403) return 'forbidden';
  if (status === 503 || status === 429) return 'unavailable';
  return status < 500 ? 'invalid' : 'internal';
}
