import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { findNatsServer } from '#testing';
import { type CommitEnvelope } from '#event-store';
import { Api, until } from '../../deploy/quickstart/api.js';
import { Cluster } from '../../deploy/quickstart/cluster.js';
import { simulatedHosts } from '../../deploy/quickstart/main.js';
import { freePorts } from '../../deploy/quickstart/ports.js';
import { GUESTS, type GuestPlan } from '../../deploy/quickstart/simulation.js';

export { until };

/** For what lasts long: no figure of speed, since the machine may be busy with other things. */
export const LIMIT_MS = 120_000;
export const ROOT = resolve('.');
export const EXAMPLE = join(ROOT, 'deploy', 'examples', 'quickstart.yaml');

/** What a program did. `out` and `err`: all that it wrote. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs Node on a program of this checkout to its end. */
export async function node(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input = '',
  cwd = ROOT,
): Promise<Ran> {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env } });
  const ran = collect(child);
  child.stdin.end(input);
  return ran;
}

export async function collect(child: ChildProcess): Promise<Ran> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (err += text.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, out, err };
}

/** The `portolan` command as a process. */
export const portolan = (server: string, ...args: string[]): Promise<Ran> =>
  node([join(ROOT, 'deploy', 'bin', 'portolan.js'), '--server', server, ...args]);

export const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: it is gone.
    return false;
  }
};

export interface World {
  readonly cluster: Cluster;
  readonly api: Api;
  /** Processes that ended unasked. */
  readonly deaths: string[];
  /** Readiness of a service, by its process name. */
  ready(name: string): Promise<{ ok: boolean; checks: Record<string, { ok: boolean; reason?: string }> }>;
  /** The name of the manager process that leads. */
  leader(): Promise<string>;
  cli(...args: string[]): Promise<Ran>;
  /** A connection with the rights of a core user, e.g. `manager`. */
  connect(user: string): Promise<NatsConnection>;
  logOf(name: string): Promise<string>;
  /** The whole log as it stands. */
  log(): Promise<CommitEnvelope[]>;
  /** Applies a manifest (default: the example of the quick start) and waits until all guests are connected. */
  apply(manifest?: string): Promise<void>;
  stop(): Promise<void>;
}

const SERVICES = ['switch-manager-1', 'switch-manager-2', 'migration-coordinator'] as const;

export interface WorldOptions {
  readonly guests?: readonly GuestPlan[];
  /** How long copying a guest's memory takes, ms. */
  readonly copyMs?: number;
  /** Environment of single services beyond what each gets, by process name. */
  readonly env?: (home: string) => Readonly<Record<string, NodeJS.ProcessEnv>>;
  /** Port of nats-server; default: a free one. */
  readonly nats?: number;
  /** Hosts that get an account, and whose agents somebody else starts. */
  readonly accounts?: readonly string[];
}

/** A cluster of three simulated hosts in a directory of its own, on free ports; ended and removed by `stop`. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'portolan-process-'));
  const [free = 0, port = 0, ...health] = await freePorts(2 + SERVICES.length);
  const { nats = free } = options;
  const deaths: string[] = [];
  const healthOf = Object.fromEntries(SERVICES.map((name, i) => [name, health[i]]));
  const cluster = await Cluster.start({
    home,
    dist: join(ROOT, 'dist'),
    natsServer: await findNatsServer(),
    ports: { nats, api: port },
    hosts: await simulatedHosts(home, options.guests ?? GUESTS, options.copyMs),
    accounts: options.accounts ?? [],
    env: environments(options.env?.(home) ?? {}, healthOf),
    say: () => undefined,
    onDeath: (name, how, log) => deaths.push(`${name} ended (${how}); see ${log}`),
  });
  const api = new Api(cluster.api);
  const connections: NatsConnection[] = [];
  const world: World = {
    cluster,
    api,
    deaths,
    ready: async (name) => {
      const at = name === 'operator-api' ? port : healthOf[name];
      return (await (await fetch(`http://127.0.0.1:${at}/health/ready`)).json()) as never;
    },
    leader: () =>
      until('a leader', async () => {
        const { leader } = await api.status();
        return leader === null ? null : `switch-${leader}`;
      }),
    cli: (...args) => portolan(cluster.api, ...args),
    connect: async (user) => {
      const text = await readFile(join(home, 'credentials', `${user}.json`), 'utf8');
      const { password, inboxPrefix } = JSON.parse(text) as { password: string; inboxPrefix: string };
      const nc = await connect({ servers: `127.0.0.1:${nats}`, user, pass: password, inboxPrefix });
      connections.push(nc);
      return nc;
    },
    logOf: (name) => readFile(cluster.children.logOf(name), 'utf8'),
    log: async () => envelopes(await api.exportLog(Number.MAX_SAFE_INTEGER)),
    apply: async (manifest = EXAMPLE) => {
      await api.apply(await readFile(manifest, 'utf8'));
      await until('all guests to be connected', async () => (await api.status()).counts.connected === 3);
    },
    stop: async () => {
      await Promise.all(connections.map((nc) => nc.close()));
      await cluster.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
  try {
    await until('a leader', async () => (await api.status()).leader !== null, 60_000);
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** Resolves when the source of a migration has heard that it may let its guest go: the destination is ready for it. */
export async function letGo(world: World, id: string): Promise<void> {
  const revision = await until('the destination to be ready', async () => readyAt(world, id));
  await world.api.get(`/v1/revisions/${revision}/realised?timeout=5`);
}

/** The revision at which the destination of a migration had the guest's interface and its policy. */
async function readyAt(world: World, id: string): Promise<number | null> {
  const { ports } = await world.api.migration(id);
  for (const { revision, data } of await world.log())
    for (const event of 'events' in data ? data.events : []) {
      if (event.type !== 'StandbyReady') continue;
      const said = event.data as { port: string; epoch: number; ready: boolean };
      if (said.ready && ports.some((p) => p.port === said.port && p.epoch === said.epoch)) return revision;
    }
  return null;
}

/** What was asked for, and a health port for those that have none. */
function environments(
  asked: Readonly<Record<string, NodeJS.ProcessEnv>>,
  health: Readonly<Record<string, number | undefined>>,
): Record<string, NodeJS.ProcessEnv> {
  const all: Record<string, NodeJS.ProcessEnv> = { ...asked };
  for (const [name, port] of Object.entries(health))
    all[name] = { ...asked[name], PORTOLAN_HEALTH_PORT: String(port) };
  return all;
}

export const envelopes = (ndjson: string): CommitEnvelope[] =>
  ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CommitEnvelope);
