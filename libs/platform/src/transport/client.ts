import { detail, err, messageOf, ok, problem, type Problem, type Result } from '#kernel';
import {
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  type NatsConnection,
} from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { currentCorrelation } from '../correlation.js';
import { DEFAULT_DEADLINE_MS, encodeJson, MAX_DEADLINE_MS, readReply, requestHeaders } from './wire.js';

export interface RequestOptions {
  /** How long to wait in all, ms; default 10 s. Carried to the server, which stops caring then too. */
  readonly deadlineMs?: number;
  /** Default: that of the work in progress, else a new one. */
  readonly correlationId?: string;
}

/** What the client needs of a link (see NatsLink): the connection while it is up. */
export interface ConnectionSource {
  current(): NatsConnection | undefined;
}

/** Sends commands. Every outcome is a value; nothing is queued while the server can't be reached. */
export class PortolanNatsClient {
  constructor(private readonly source: ConnectionSource) {}

  /**
   * Asks once. `unavailable`: nothing was done (no server, nobody serves the subject). `unknown`: it was sent and no
   * answer came in time; ask again with the same command id.
   */
  async request<T>(pattern: string, payload: unknown, options: RequestOptions = {}): Promise<Result<T>> {
    const nc = this.source.current();
    if (nc === undefined) return err(problem('unavailable', 'no connection to the message server'));
    const timeout = clampDeadline(options.deadlineMs ?? DEFAULT_DEADLINE_MS);
    const correlation = options.correlationId ?? currentCorrelation() ?? randomUUID();
    const data = encodeJson(payload);
    const limit = (nc.info?.max_payload ?? Number.POSITIVE_INFINITY) - HEADERS;
    if (data.length > limit) return err(tooLarge(data.length, limit));
    try {
      const reply = await nc.request(pattern, data, {
        timeout,
        headers: requestHeaders(timeout, correlation),
      });
      const read = readReply(reply);
      return read.ok ? ok(read.value as T) : read;
    } catch (error) {
      return err(translate(error, pattern, timeout));
    }
  }
}

/** The server counts headers too. */
const HEADERS = 512;

const clampDeadline = (ms: number): number => Math.min(MAX_DEADLINE_MS, Math.max(1, Math.ceil(ms)));

const tooLarge = (size: number, limit: number): Problem =>
  problem('invalid', `the request has ${size} bytes; the server carries ${limit}`, [
    detail('', `${size} bytes`, 'is too large', `up to ${limit} bytes`),
  ]);

function translate(error: unknown, pattern: string, timeout: number): Problem {
  if (error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders()))
    return problem('unavailable', `nobody serves ${pattern} at the moment`);
  if (error instanceof PermissionViolationError || causeOf(error) instanceof PermissionViolationError)
    return problem('forbidden', `this service may not ask ${pattern}`);
  if (error instanceof TimeoutError)
    return problem('unknown', `no answer to ${pattern} within ${timeout} ms; it may have been done`);
  const reason = messageOf(error);
  return problem('unknown', `${pattern}: ${reason}; it may have been done`);
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);
