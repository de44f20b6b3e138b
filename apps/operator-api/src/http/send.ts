import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Problem } from '#kernel';
import { currentCorrelation } from '#platform';
import { problemJson } from '#platform/http';

export type HttpRequest = IncomingMessage & { body?: unknown };
export type HttpResponse = ServerResponse;

/** A problem where the framework's filter is not yet, or can't say the status. */
export function sendProblem(response: HttpResponse, fault: Problem, status?: number): void {
  const body = problemJson(fault, currentCorrelation());
  const code = status ?? body.status;
  response.statusCode = code;
  response.setHeader('content-type', 'application/problem+json');
  response.end(JSON.stringify({ ...body, status: code }));
}
