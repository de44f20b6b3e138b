import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
}

/** Told when a process ends unasked: its name, how it ended, and where its log is. */
export type DeathListener = (name: string, how: string, log: string) => void;

/**
 * The processes of a cluster. Each writes a log file of its own. They stand in process groups of their own, so that
 * Ctrl-C reaches the starter alone, which then ends them in order; ours also end by themselves when the starter is
 * gone, since their standard input closes.
 */
export class Children {
  readonly #running = new Map<string, Running>();
  readonly #asked = new Set<ChildProcess>();

  constructor(
    readonly logDir: string,
    private readonly onDeath: DeathListener,
  ) {}

  logOf(name: string): string {
    return join(this.logDir, `${name}.log`);
  }

  pidOf(name: string): number | undefined {
    return this.#running.get(name)?.child.pid;
  }

  async start(
    name: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<void> {
    await mkdir(this.logDir, { recursive: true });
    const log = createWriteStream(this.logOf(name), { flags: 'a', mode: 0o600 });
    await once(log, 'open');
    const child = spawn(command, [...args], {
      detached: true,
      env: { ...process.env, ...env, PORTOLAN_END_WITH_STDIN: '1' },
      stdio: ['pipe', log, log],
    });
    // Writing nothing, we only hold the pipe; its breaking says nothing that `exit` does not.
    child.stdin?.on('error', () => undefined);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
    this.#running.set(name, { child, ended });
    void ended.then((how) => {
      log.end();
      if (this.#running.get(name)?.child === child) this.#running.delete(name);
      if (!this.#asked.has(child)) this.onDeath(name, how, this.logOf(name));
    });
  }

  /** Sends a signal that is expected to end the process (or to stop it for a while). */
  signal(name: string, signal: NodeJS.Signals): void {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.#asked.add(running.child);
    running.child.kill(signal);
  }

  /** Kills at once and resolves when it is gone. */
  async kill(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.signal(name, 'SIGKILL');
    await running?.ended;
  }

  /** Ends the processes whose names begin with the given words, group after group, then all others. */
  async stop(groups: readonly string[] = [], limitMs = 8_000): Promise<void> {
    for (const group of [...groups, '']) {
      const these = [...this.#running]
        .filter(([name]) => name.startsWith(group))
        .map(([, running]) => running);
      await Promise.all(these.map((running) => this.#end(running, limitMs)));
    }
  }

  async #end({ child, ended }: Running, limitMs: number): Promise<void> {
    this.#asked.add(child);
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await ended;
    clearTimeout(timer);
  }
}

/**
 * Ends a nats-server that an earlier start of the same directory left behind (its starter was killed). Only a
 * process that runs with this very configuration file is touched.
 */
export async function endLeftover(pidFile: string, configFile: string): Promise<boolean> {
  if (!existsSync(pidFile)) return false;
  const pid = Number(readFileSync(pidFile, 'utf8').trim());
  const running = (): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(configFile);
    } catch {
      return false;
    }
  };
  if (!Number.isInteger(pid) || !running()) return false;
  process.kill(pid, 'SIGTERM');
  for (let i = 0; i < 100 && running(); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return true;
}
