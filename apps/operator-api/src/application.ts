import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { type LoggerService } from '@nestjs/common';
import { correlationMiddleware, HttpProblemFilter, problemValidationPipe } from '#platform/http';
import { OperatorApiModule, type Parts } from './app.module.js';
import { readBody } from './http/body.js';
import { guard, type GuardOptions } from './http/guard.js';

/** The HTTP application around its parts, not yet listening. */
export async function createApplication(
  parts: Parts,
  options: GuardOptions & { readonly logger?: LoggerService | false },
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(OperatorApiModule.of(parts), {
    bodyParser: false,
    abortOnError: false,
    forceCloseConnections: true,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  app.disable('x-powered-by');
  // Made of the bytes of an answer, it is no version: `If-Match` takes those, and would refuse it.
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(correlationMiddleware);
  app.use(guard(options));
  app.use(readBody);
  app.useGlobalFilters(new HttpProblemFilter());
  app.useGlobalPipes(problemValidationPipe());
  return app;
}
