import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Runs a program to its end; resolves with its output, rejects with what it said. */
export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const { stdout } = await execFileAsync(program, args, {
      env: { ...process.env, ...env },
      timeout: 60_000,
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() ?? '';
    const { code, signal } = cause as { readonly code?: unknown; readonly signal?: unknown };
    // Not with the cause: it says all the words again, and there may be thousands.
    throw new Error(
      `${program} ${brief(args.join(' '))}: ${brief(said) || `ended with ${String(signal ?? code)}`}`,
    );
  }
}

const brief = (text: string): string => (text.length <= 500 ? text : `${text.slice(0, 500)}…`);

export const ip = (...args: string[]) => run('ip', args);

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: 'pipe' | 'ignore';
  /** What it says of its faults; by default as `stdio`, or this process's own where that is a pipe. */
  readonly stderr?: 'pipe';
}

/** Starts a program. It dies with this process, even when this process is killed. */
export const start = (command: readonly string[], options: StartOptions = {}): ChildProcess =>
  launch(['setpriv', '--pdeathsig', 'KILL', ...command], options);

/** As `start`, in a network namespace. */
export const startIn = (
  netns: string,
  command: readonly string[],
  options: StartOptions = {},
): ChildProcess =>
  launch(['ip', 'netns', 'exec', netns, 'setpriv', '--pdeathsig', 'KILL', ...command], options);

function launch([program = '', ...args]: readonly string[], options: StartOptions): ChildProcess {
  const io = options.stdio ?? 'ignore';
  return spawn(program, args, {
    env: { ...process.env, ...options.env },
    stdio: [io, io, options.stderr ?? (io === 'pipe' ? 'inherit' : io)],
  });
}

/** Ends a child and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(late);
}

/**
 * Asks until the answer is not undefined. For what tells nobody when it is ready (a socket of a started server). The
 * limit is for what hangs, on machines that may be busy with other things.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  limitMs = 30_000,
): Promise<T> {
  const last = performance.now() + limitMs;
  let why: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (cause) {
      why = cause;
    }
    if (performance.now() > last) throw new Error(`${what}: not within ${limitMs} ms`, { cause: why });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
