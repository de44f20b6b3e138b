import { findNatsServer, freePort } from '#testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A real nats-server for this lib's own tests: a configuration text in, ready when it says so. */
export class SpecServer {
  private child: ChildProcess | undefined;
  private constructor(
    readonly dir: string,
    readonly port: number,
  ) {}

  static async start(config?: (port: number, dir: string) => string): Promise<SpecServer> {
    const server = await SpecServer.prepare();
    await server.write(
      config?.(server.port, server.dir) ?? `listen: "127.0.0.1:${server.port}"\nmax_payload: 65536\n`,
    );
    await server.boot();
    return server;
  }

  /** A directory and a port, for a configuration that is written later. */
  static async prepare(): Promise<SpecServer> {
    return new SpecServer(await mkdtemp(join(tmpdir(), 'portolan-nats-')), await freePort());
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  write(text: string): Promise<void> {
    return writeFile(join(this.dir, 'nats.conf'), text, { mode: 0o600 });
  }

  /** SIGHUP; resolves when the server says that it reloaded, rejects with its words when it refuses. */
  async reload(): Promise<void> {
    const said = this.line(/Reloaded server configuration|Failed to reload/);
    this.child?.kill('SIGHUP');
    const line = await said;
    if (line.includes('Failed')) throw new Error(line);
  }

  async boot(): Promise<void> {
    this.child = spawn(await findNatsServer(), ['-c', join(this.dir, 'nats.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await this.line(/Server is ready/);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  private line(pattern: RegExp): Promise<string> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      if (!child?.stderr) return reject(new Error('no server'));
      const said: string[] = [];
      const reader = createInterface({ input: child.stderr });
      const end = (settle: () => void) => {
        reader.removeAllListeners();
        reader.close();
        child.stderr?.resume();
        settle();
      };
      reader.on('line', (text) => {
        said.push(text);
        if (pattern.test(text)) end(() => resolve(text));
      });
      child.once('exit', () => end(() => reject(new Error(said.join('\n')))));
    });
  }
}
