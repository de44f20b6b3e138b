import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';

/**
 * Hands whatever a handler threw on to the transport, which knows how to put problems on the wire. Nest's own filter
 * would turn a ProblemError into "Internal server error".
 */
@Catch()
export class RpcProblemFilter implements RpcExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}
