import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** For what hangs: a pass may wait for it. */
const LONGEST_MS = 3_000;
const LARGEST = 64 * 1024 * 1024;

/** What a host says of its network devices, by its own tools. */
export interface Devices {
  /** All devices with their addresses, as JSON. */
  addresses(): Promise<string>;
  /** A device's offloads. */
  features(device: string): Promise<string>;
  /** A line for each change, until `ended` says why there are no more. The returned function ends it. */
  watch(changed: (line: string) => void, ended: (why: string) => void): () => void;
}

/** `ip` and `ethtool` of the host, in a network namespace of it where one is named. */
export class HostDevices implements Devices {
  readonly #inside: readonly string[];

  constructor(netns: string | undefined) {
    this.#inside = netns === undefined ? [] : ['ip', 'netns', 'exec', netns];
  }

  addresses(): Promise<string> {
    return this.#run('ip', '-j', '-d', 'address', 'show');
  }

  features(device: string): Promise<string> {
    return this.#run('ethtool', '-k', device);
  }

  watch(changed: (line: string) => void, ended: (why: string) => void): () => void {
    const [program, args] = this.#command(['ip', '-o', 'monitor', 'link', 'address']);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let isOver = false;
    const over = (why: string): void => {
      if (!isOver) ended(why);
      isOver = true;
    };
    createInterface({ input: child.stdout }).on('line', changed);
    // It says there that it missed something, and why it ends.
    let last = '';
    createInterface({ input: child.stderr }).on('line', (line) => {
      last = line;
      changed(line);
    });
    child.on('error', (cause) => over(String(cause)));
    child.on('close', (code, signal) => over(last || `ip monitor ended with ${String(signal ?? code)}`));
    return () => {
      isOver = true;
      child.kill();
    };
  }

  async #run(...command: string[]): Promise<string> {
    const [program, args] = this.#command(command);
    const { stdout } = await execFileAsync(program, args, { timeout: LONGEST_MS, maxBuffer: LARGEST });
    return stdout;
  }

  #command(command: readonly string[]): [string, string[]] {
    const [program = '', ...args] = [...this.#inside, ...command];
    return [program, args];
  }
}
