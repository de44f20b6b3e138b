import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

/** Everything a command touches outside itself, so that specs run commands as the shell does. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of standard output: colours and redrawing only on a terminal. */
  readonly tty: boolean;
  readonly columns: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  now(): number;
  /** Resolves early, without throwing, when the signal aborts. */
  sleep(ms: number): Promise<void>;
  /** `-` is standard input. */
  read(path: string): Promise<Buffer>;
}

export function processIo(signal: AbortSignal): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: { USER: loginName(), ...process.env },
    tty: process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 100,
    signal,
    now: () => Date.now(),
    sleep: (ms) => interruptible(ms, signal),
    read: (path) => (path === '-' ? readStdin() : readFile(path)),
  };
}

export function interruptible(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** Where the environment does not say who asks; a user id without a name has none. */
function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

async function readStdin(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
