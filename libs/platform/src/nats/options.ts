import { err, invalid, ok, type Result } from '#kernel';
import { nkeyAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';
import { readFile } from 'node:fs/promises';

/** How to reach NATS and as whom. Secrets are read from files or given as `user` and `password`. */
export interface NatsOptions {
  /** e.g. `nats://127.0.0.1:4222`. */
  readonly servers: readonly string[];
  /** Shown in the server's connection list. */
  readonly name: string;
  /** JSON file `{user, password, inboxPrefix?}`, as the account generator writes it. */
  readonly credentialsFile?: string;
  readonly user?: string;
  readonly password?: string;
  /** File with an nkey user seed (`SU…`). */
  readonly nkeyFile?: string;
  /** Replies come to `<prefix>.>`; must be what the account allows. Default `_INBOX`. */
  readonly inboxPrefix?: string;
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
}

export interface NatsCredentials {
  readonly user: string;
  readonly password: string;
  readonly inboxPrefix: string;
}

/** Reads a credentials file; a fault names the file and what is wrong, never its content. */
export async function readCredentials(path: string): Promise<Result<NatsCredentials>> {
  const bad = (reason: string) =>
    err(invalid('credentialsFile', path, reason, 'a JSON file with user, password and inboxPrefix'));
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    return bad(error instanceof SyntaxError ? 'is not JSON' : (error as Error).message);
  }
  if (typeof value !== 'object' || value === null) return bad('is not an object');
  const { user, password, inboxPrefix = '_INBOX' } = value as Record<string, unknown>;
  if (typeof user !== 'string' || typeof password !== 'string') return bad('lacks user or password');
  if (typeof inboxPrefix !== 'string' || !/^_INBOX(\.[A-Za-z0-9_-]+)*$/.test(inboxPrefix))
    return bad('has a malformed inboxPrefix');
  return ok({ user, password, inboxPrefix });
}

/** Longest wait between two attempts to reconnect, ms: jitter only, no back-off, so that recovery is prompt. */
export const RECONNECT_WAIT_MS = 250;
export const reconnectDelay = (): number => 25 + Math.floor(Math.random() * (RECONNECT_WAIT_MS - 25));

/**
 * Between two attempts at the same server passes `reconnectDelay`, by a clock that nobody sets. The client itself counts
 * by the wall clock: set back by an hour since it last connected, it would not try again for that hour. So its own wait
 * is always over, and ours is the delay that it grants whoever chooses a server.
 */
export function attempts(
  now: () => number = () => performance.now(),
): Required<Pick<NodeConnectionOptions, 'reconnectDelayHandler' | 'reconnectToServer'>> {
  const last = new Map<string, number>();
  return {
    reconnectDelayHandler: () => Number.NEGATIVE_INFINITY,
    // The first is the one that the client would take.
    reconnectToServer: ([next]) => {
      if (next === undefined) return null;
      const before = last.get(next.listen);
      const delay = before === undefined ? 0 : Math.max(0, before + reconnectDelay() - now());
      last.set(next.listen, now() + delay);
      return { server: next, delay };
    },
  };
}

/** The client's options: reconnects for ever, also over rejected credentials (a server that reloads rejects for a moment). */
export async function connectionOptions(options: NatsOptions): Promise<Result<NodeConnectionOptions>> {
  const base: NodeConnectionOptions = {
    servers: [...options.servers],
    name: options.name,
    reconnect: true,
    maxReconnectAttempts: -1,
    ...attempts(),
    ignoreAuthErrorAbort: true,
    pingInterval: 5_000,
    maxPingOut: 2,
    timeout: 5_000,
    // Else the client takes two stacks for each request, in case it fails; what fails here is told as a problem.
    noAsyncTraces: true,
    inboxPrefix: options.inboxPrefix ?? '_INBOX',
  };
  if (options.tls !== undefined) base.tls = { ...options.tls };
  if (options.credentialsFile !== undefined) {
    const read = await readCredentials(options.credentialsFile);
    if (!read.ok) return read;
    const { user, password, inboxPrefix } = read.value;
    return ok({ ...base, user, pass: password, inboxPrefix: options.inboxPrefix ?? inboxPrefix });
  }
  if (options.nkeyFile !== undefined) {
    const seed = await readSeed(options.nkeyFile);
    return seed.ok ? ok({ ...base, authenticator: nkeyAuthenticator(seed.value) }) : seed;
  }
  if (options.user !== undefined) return ok({ ...base, user: options.user, pass: options.password ?? '' });
  return ok(base);
}

async function readSeed(path: string): Promise<Result<Uint8Array>> {
  const bad = (reason: string) =>
    err(invalid('nkeyFile', path, reason, 'a file with an nkey user seed, SU…'));
  try {
    const text = (await readFile(path, 'utf8')).trim();
    return /^SU[A-Z2-7]{56}$/.test(text) ? ok(new TextEncoder().encode(text)) : bad('holds no user seed');
  } catch (error) {
    return bad((error as Error).message);
  }
}
