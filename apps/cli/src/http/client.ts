import { randomUUID } from 'node:crypto';
import { type ProblemBody } from '#contracts/http';
import { CliError, EXIT, exitOf, INTERRUPTED } from '../exit.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Body {
  readonly type: string;
  readonly data: string | Buffer;
}

/** The one way to the server. A refusal becomes a CliError that carries the problem as the server told it. */
export class ApiClient {
  /** One id for everything this invocation asks: found again in the server's logs and in the events it caused. */
  readonly correlation = randomUUID();

  constructor(
    readonly server: string,
    private readonly signal: AbortSignal,
    private readonly identity: { readonly actor?: string; readonly token?: string } = {},
  ) {}

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.json<T>('GET', path, query);
  }

  post<T>(path: string, body: unknown, query: Query = {}): Promise<T> {
    return this.json<T>('POST', path, query, { type: 'application/json', data: JSON.stringify(body) });
  }

  put<T>(path: string, body: unknown, query: Query = {}): Promise<T> {
    return this.json<T>('PUT', path, query, { type: 'application/json', data: JSON.stringify(body) });
  }

  delete<T>(path: string, query: Query = {}): Promise<T> {
    return this.json<T>('DELETE', path, query);
  }

  send<T>(path: string, type: string, data: string | Buffer, query: Query = {}): Promise<T> {
    return this.json<T>('POST', path, query, { type, data });
  }

  /** The open response, for streams. */
  async open(path: string, query: Query, headers: Readonly<Record<string, string>>): Promise<Response> {
    const response = await this.request('GET', path, query, undefined, headers);
    if (!response.ok) throw await refused(response);
    return response;
  }

  private async json<T>(method: string, path: string, query: Query, body?: Body): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (method !== 'GET') headers['idempotency-key'] = randomUUID();
    const response = await this.request(method, path, query, body, headers);
    if (!response.ok) throw await refused(response);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      if (this.signal.aborted) throw new CliError(EXIT.interrupted, INTERRUPTED);
      throw new CliError(
        EXIT.failed,
        `${this.server} answered with something that is not JSON (${reasonOf(cause)})`,
      );
    }
  }

  private async request(
    method: string,
    path: string,
    query: Query,
    body: Body | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const url = new URL(`/v1${path}`, this.server);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    try {
      return await fetch(url, {
        method,
        signal: this.signal,
        headers: {
          ...headers,
          'x-correlation-id': this.correlation,
          ...(this.identity.actor === undefined ? {} : { 'x-portolan-actor': this.identity.actor }),
          ...(this.identity.token === undefined ? {} : { authorization: `Bearer ${this.identity.token}` }),
          ...(body === undefined ? {} : { 'content-type': body.type }),
        },
        ...(body === undefined ? {} : { body: body.data }),
      });
    } catch (cause) {
      if (this.signal.aborted) throw new CliError(EXIT.interrupted, INTERRUPTED);
      throw new CliError(
        EXIT.unavailable,
        `no answer from ${this.server} (${reasonOf(cause)}); is Portolan running? ` +
          'Name another server with --server or PORTOLAN_SERVER.',
      );
    }
  }
}

/** `fetch failed` says nothing; its cause does. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause as (Error & { code?: string }) | undefined;
  return inner?.code ?? inner?.message ?? cause.message;
}

async function refused(response: Response): Promise<CliError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as ProblemBody;
    if (typeof problem.detail === 'string') {
      return new CliError(exitOf(response.status, problem.code), problem.detail, problem);
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  return new CliError(
    exitOf(response.status, undefined),
    `${response.url} answered ${response.status} ${response.statusText}`,
  );
}
