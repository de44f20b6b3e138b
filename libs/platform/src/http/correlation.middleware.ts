import { randomUUID } from 'node:crypto';
import { currentCorrelation, withCorrelation } from '../correlation.js';

interface Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
interface Response {
  setHeader(name: string, value: string): unknown;
}

/** Express middleware: `x-correlation-id` of the request, or a new one, for all that follows and in the response. */
export function correlationMiddleware(request: Request, response: Response, next: () => void): void {
  const given = request.headers['x-correlation-id'];
  withCorrelation(typeof given === 'string' ? given : randomUUID(), () => {
    response.setHeader('x-correlation-id', currentCorrelation() ?? '');
    next();
  });
}
