import { timingSafeEqual, createHash } from 'node:crypto';
import { problem, type Problem } from '#kernel';
import { isLoopback } from '../config.js';
import { sendProblem, type HttpRequest, type HttpResponse } from './send.js';

export interface GuardOptions {
  readonly address: string;
  readonly token?: string | undefined;
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Keeps out whom the operator did not mean: without the token where one is set, and web pages that the operator's
 * browser happens to show (they can reach loopback, by name tricks too).
 */
export function guard(options: GuardOptions) {
  return (request: HttpRequest, response: HttpResponse, next: () => void): void => {
    const refusal = foreignPage(request, options);
    if (refusal !== undefined) return sendProblem(response, refusal);
    if (options.token === undefined || isPublic(request.url)) return next();
    const given = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(hash(given), hash(options.token))) return next();
    response.setHeader('www-authenticate', 'Bearer');
    sendProblem(response, problem('forbidden', 'the bearer token is missing or wrong'), 401);
  };
}

const isPublic = (url: string | undefined): boolean => /^\/health\/(live|ready)$/.test(url ?? '');

function foreignPage(request: HttpRequest, options: GuardOptions): Problem | undefined {
  const { origin, host = '' } = request.headers;
  if (origin !== undefined && !sameHost(origin, host)) {
    return problem('forbidden', `pages of ${origin.slice(0, 100)} may not use this API`);
  }
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (isLoopback(options.address) && !isLoopback(name)) {
    return problem('forbidden', `this API listens on ${options.address} only, not on ${name.slice(0, 100)}`);
  }
  return undefined;
}

const sameHost = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;
