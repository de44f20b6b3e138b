import { connect } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface NatsServerOptions {
  /** Default true. */
  readonly jetstream?: boolean;
  /** Appended to the configuration, in the server's own syntax. */
  readonly config?: string;
  /** Where JetStream keeps its files; default a temporary directory that `stop` removes. */
  readonly storeDir?: string;
  /** Default: one that is free. */
  readonly port?: number;
}

/** A real nats-server on the loopback interface. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly storeDir: string;
  /** Ends the process and removes what was temporary. Idempotent. */
  stop(): Promise<void>;
  /** Ends the process as a crash would. Files stay; `restart` brings it back. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and files, after ending it cleanly if it runs. */
  restart(): Promise<void>;
}

const READY_MS = 30_000;

/** Starts a server and waits until it takes connections. Throws with the server's own output if it does not. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const binary = await findNatsServer();
  const dir = await mkdtemp(join(tmpdir(), 'portolan-nats-'));
  const storeDir = options.storeDir ?? join(dir, 'store');
  const port = options.port ?? (await freePort());
  const files = { config: join(dir, 'nats.conf'), log: join(dir, 'nats.log') };
  const lines = [`listen: "127.0.0.1:${port}"`, `log_file: "${files.log}"`];
  if (options.jetstream !== false) lines.push(`jetstream { store_dir: "${storeDir}" }`);
  await writeFile(files.config, [...lines, options.config ?? ''].join('\n'));
  const server = new Server(binary, dir, files, port, storeDir);
  try {
    await server.start();
  } catch (cause) {
    await server.stop();
    throw cause;
  }
  return server;
}

/** The binary by `NATS_SERVER_BIN`, the path, or where Debian puts it. Throws if there is none. */
export async function findNatsServer(): Promise<string> {
  const named = process.env['NATS_SERVER_BIN'];
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const candidates = named === undefined ? dirs.map((dir) => join(dir, 'nats-server')) : [named];
  for (const path of candidates) {
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  throw new Error(`no nats-server at ${named ?? 'PATH or /usr/sbin'}: install it, or set NATS_SERVER_BIN`);
}

/** Below what systems give to outgoing connections: such a one could take the port of a server that restarts. */
const RANGE = { from: 30_000, size: 2_700 } as const;
const ATTEMPTS = 100;
const given = new Set<number>();

/** A TCP port of the loopback interface that was free a moment ago, and that was not given before. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = RANGE.from + Math.floor(Math.random() * RANGE.size);
    try {
      if (!given.has(port)) {
        await tryPort(port);
        given.add(port);
        return port;
      }
    } catch (cause) {
      if (attempt >= ATTEMPTS) throw cause;
    }
  }
}

async function tryPort(port: number): Promise<void> {
  const probe = createServer();
  probe.listen(port, '127.0.0.1');
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}

class Server implements NatsServer {
  #process: ChildProcess | undefined;
  #output = '';
  readonly #onExit = (): void => void this.#process?.kill('SIGKILL');

  constructor(
    readonly binary: string,
    readonly dir: string,
    readonly files: { readonly config: string; readonly log: string },
    readonly port: number,
    readonly storeDir: string,
  ) {}

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('nats-server does not run');
    return pid;
  }

  async start(): Promise<void> {
    this.#output = '';
    const child = spawn(this.binary, ['-c', this.files.config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    child.stderr.on('data', (text: Buffer) => (this.#output += text.toString()));
    child.once('exit', () => {
      if (this.#process === child) this.#process = undefined;
      process.removeListener('exit', this.#onExit);
    });
    process.once('exit', this.#onExit);
    await Promise.race([this.#ready(child), failed(child)]).catch(async (cause: unknown) => {
      const log = await readFile(this.files.log, 'utf8').catch(() => '');
      throw new Error(`nats-server did not start: ${String(cause)}\n${this.#output}${log}`, { cause });
    });
  }

  async #ready(child: ChildProcess): Promise<void> {
    const until = Date.now() + READY_MS;
    for (;;) {
      try {
        await probe(this.port);
        return;
      } catch (cause) {
        if (Date.now() > until || child.exitCode !== null) throw cause;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.dir, { recursive: true, force: true });
  }

  kill9(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    // A server that does not go by itself is not left behind.
    const force = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(force);
  }
}

/** Rejects when the process can't be started or ends. */
function failed(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`it exited with ${code ?? signal}`)));
  });
}

/** Accounts may forbid us to log in: a server that says so is up as well. */
async function probe(port: number): Promise<void> {
  try {
    const nc = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, timeout: 1000 });
    await nc.close();
  } catch (cause) {
    if (!/auth/i.test(String(cause))) throw cause;
  }
}
