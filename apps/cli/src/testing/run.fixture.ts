import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Io, interruptible } from '../io.js';
import { run } from '../program.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const NOW = Date.parse('2026-03-01T12:00:00.000Z');

export interface RunOptions {
  readonly server?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => number;
  onOut?(text: string): void;
}

/** Runs a command line as the shell would, with everything it wrote. */
export async function portolan(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let [out, err] = ['', ''];
  const signal = options.signal ?? new AbortController().signal;
  const io: Io = {
    out: (text) => {
      out += text;
      options.onOut?.(text);
    },
    err: (text) => void (err += text),
    env: { ...(options.server === undefined ? {} : { PORTOLAN_SERVER: options.server }), ...options.env },
    tty: false,
    columns: 100,
    signal,
    now: options.now ?? (() => NOW),
    sleep: (ms) => interruptible(Math.min(ms, 10), signal),
    read: (path) => {
      const text = options.files?.[path];
      if (text === undefined) return Promise.reject(new Error(`no such file ${path}`));
      return Promise.resolve(Buffer.from(text));
    },
  };
  const code = await run(argv, io);
  return { code, out, err };
}

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface CannedApi {
  readonly url: string;
  readonly asked: Asked[];
  /** `METHOD /path` → status and body; asked again, the last answer of a list is given again. */
  answer(route: string, ...answers: readonly (readonly [number, unknown])[]): void;
  close(): Promise<void>;
}

/** An API with canned answers. */
export async function cannedApi(): Promise<CannedApi> {
  const routes = new Map<string, (readonly [number, unknown])[]>();
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      const answers = routes.get(`${method} ${url}`) ?? routes.get(`${method} ${url.split('?')[0]}`) ?? [];
      const [status, body] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [
        500,
        'no answer prepared',
      ];
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (route, ...answers) => void routes.set(route, [...answers]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
