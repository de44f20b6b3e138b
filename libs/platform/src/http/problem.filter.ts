import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { currentCorrelation } from '../correlation.js';
import { isDefect, problemFromError } from '../problems/from-error.js';
import { problemJson } from './problem-json.js';

/** What of the framework's response is used. */
interface HttpResponse {
  readonly headersSent: boolean;
  status(code: number): HttpResponse;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

export const RETRY_AFTER_S = 1;

/** Every fault of an HTTP request as problem+json; defects are logged with their stack and told without it. */
@Catch()
export class HttpProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(HttpProblemFilter.name);

  catch(exception: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<HttpResponse>();
    if (isDefect(exception)) this.logger.error(exception);
    // A stream that already began can't be turned into a problem any more; its end is all that is left to say.
    if (response.headersSent) {
      response.end();
      return;
    }
    const body = problemJson(problemFromError(exception), currentCorrelation());
    response.setHeader('content-type', 'application/problem+json');
    if (body.status === 503) response.setHeader('retry-after', String(RETRY_AFTER_S));
    response.status(body.status).end(JSON.stringify(body));
  }
}
