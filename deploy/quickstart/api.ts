import type {
  HostView,
  ListOf,
  MigrationView,
  PortStats,
  PortView,
  ReplayReport,
  Status,
  WriteResult,
} from '#contracts/http';

/** A few calls on the HTTP API, for the quick start and for tests that watch a cluster from outside. */
export class Api {
  constructor(readonly base: string) {}

  status = (): Promise<Status> => this.get('/v1/status');
  hosts = (): Promise<ListOf<HostView>> => this.get('/v1/hosts');
  ports = (query = ''): Promise<ListOf<PortView>> => this.get(`/v1/ports${query}`);
  stats = async (port: string): Promise<PortStats> => {
    const { items } = await this.get<ListOf<PortStats>>(`/v1/stats/ports`);
    const found = items.find((s) => s.port === port);
    if (found === undefined) throw new Error(`no counters of port ${port}`);
    return found;
  };
  migration = (id: string): Promise<MigrationView> => this.get(`/v1/migrations/${id}`);

  /** Applies YAML and waits that long for every host concerned. */
  apply = (yaml: string, waitSeconds = 20): Promise<WriteResult> =>
    this.#json('POST', `/v1/apply?wait=${waitSeconds}`, yaml, 'application/yaml');

  exportLog = (to: number): Promise<string> => this.#text('GET', `/v1/log/export?to=${to}`);
  replay = (log: string): Promise<ReplayReport> =>
    this.#json('POST', '/v1/replay', log, 'application/x-ndjson');

  get<T>(path: string): Promise<T> {
    return this.#json('GET', path);
  }

  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return this.#json(
      method,
      path,
      body === undefined ? undefined : JSON.stringify(body),
      'application/json',
    );
  }

  async #json<T>(method: string, path: string, body?: string, type?: string): Promise<T> {
    return JSON.parse(await this.#text(method, path, body, type)) as T;
  }

  async #text(method: string, path: string, body?: string, type = 'application/json'): Promise<string> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': type }, body }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new ApiError(method, path, response.status, text);
  }
}

/** An answer that says no, with the problem that came with it. */
export class ApiError extends Error {
  readonly problem: {
    readonly detail?: string;
    readonly code?: string;
    readonly errors?: readonly { readonly field: string }[];
  };

  constructor(
    method: string,
    path: string,
    readonly status: number,
    body: string,
  ) {
    let problem: ApiError['problem'] = { detail: body };
    try {
      problem = JSON.parse(body) as ApiError['problem'];
    } catch (cause) {
      problem = { detail: `${body} (${String(cause)})` };
    }
    super(`${method} ${path}: ${status} ${problem.detail ?? body}`);
    this.problem = problem;
  }
}

/** Asks again and again until `check` gives something, at most `limitMs`; the last failure is in the error. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | null | false>,
  limitMs = 30_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  do {
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (performance.now() < end);
  throw new Error(
    `${what}: not within ${limitMs / 1000} s`,
    last === undefined ? undefined : { cause: last },
  );
}
