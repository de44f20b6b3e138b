import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unwrap } from '#kernel';
import { credentialsPath, ensureCredentials, generateServerConfig } from '#platform/accounts';
import { Children, endLeftover, type DeathListener } from './children.js';

/**
 * An agent shares its machine with the guests: little room for what is new keeps it small, and the collector works in
 * one thread, as helpers would be woken for a tenth of a millisecond of work, and waited for where the machine is busy.
 * Not `--optimize-for-size`: the whole heap would be gone through each 2 s of an idle agent, which is half of what that
 * takes. With 1 MB at most, ten thousand flows are given back to a restarted switch in 1.6 times the time.
 */
const AGENT_HEAP = ['--max-semi-space-size=2', '--max-old-space-size=256', '--single-threaded-gc'];
/**
 * A log is read into the state in 0.7 of the processor time with it: what one commit needs is gone before it would be
 * promoted.
 */
export const MANAGER_HEAP = ['--max-semi-space-size=64'];

/** An agent to be started: its host, and the environment beyond what every agent gets. */
export interface HostPlan {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface ClusterOptions {
  /** Everything that lasts lies here: the log, keys, credentials, the agents' disks, log files. */
  readonly home: string;
  /** Directory that holds `apps/…` as built. */
  readonly dist: string;
  readonly natsServer: string;
  readonly ports: { readonly nats: number; readonly api: number };
  readonly hosts: readonly HostPlan[];
  /** Further hosts that get an account, and whose agents somebody else starts. */
  readonly accounts?: readonly string[];
  readonly managers?: number;
  /** Environment of single services beyond what each gets, by process name as in their logs. */
  readonly env?: Readonly<Record<string, NodeJS.ProcessEnv>>;
  readonly say: (line: string) => void;
  readonly onDeath: DeathListener;
}

/**
 * A whole cluster on this machine, each service a process: nats-server with the accounts and rights of production,
 * switch-managers, migration-coordinator, operator-api, and an agent a host.
 */
export class Cluster {
  readonly children: Children;
  #keys!: { readonly private: string; readonly public: string };

  private constructor(readonly options: ClusterOptions) {
    this.children = new Children(join(options.home, 'logs'), options.onDeath);
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get api(): string {
    return `http://127.0.0.1:${this.options.ports.api}`;
  }

  async #start(): Promise<void> {
    const { home, hosts, say, managers = 2 } = this.options;
    for (const dir of ['nats', 'keys', 'hosts', 'managers']) {
      await mkdir(join(home, dir), { recursive: true, mode: 0o700 });
    }
    this.#keys = await signingKeys(join(home, 'keys'));
    say('starting nats-server');
    await this.startNats();
    say(`starting ${managers} switch-managers, the migration-coordinator and the operator-api`);
    for (let n = 1; n <= managers; n += 1) await this.startManager(n);
    await this.startCoordinator();
    await this.startApi();
    say(`starting the agents of ${hosts.map((h) => h.name).join(', ')}`);
    for (const host of hosts) await this.startAgent(host.name);
  }

  async startNats(): Promise<void> {
    const { home, natsServer, ports, hosts, accounts = [] } = this.options;
    const names = [...hosts.map((h) => h.name), ...accounts];
    const passwords = await ensureCredentials(join(home, 'credentials'), names);
    const { file, pidFile } = natsFiles(home);
    const storeDir = join(home, 'nats', 'data');
    const config = unwrap(
      generateServerConfig({ hosts: names, port: ports.nats, storeDir, jetstream: {}, passwords }),
    );
    await writeFile(file, `${config}pid_file: ${JSON.stringify(pidFile)}\n`, { mode: 0o600 });
    await endLeftoverNats(home, this.options.say);
    await this.children.start('nats-server', natsServer, ['-c', file]);
  }

  startManager(n: number): Promise<void> {
    return this.#app(`switch-manager-${n}`, 'switch-manager', 'manager', {
      PORTOLAN_INSTANCE: `manager-${n}`,
      PORTOLAN_SIGNING_KEY: this.#keys.private,
      PORTOLAN_STATE_DIR: join(this.options.home, 'managers', String(n)),
    });
  }

  startCoordinator(): Promise<void> {
    return this.#app('migration-coordinator', 'migration-coordinator', 'coordinator', {});
  }

  startApi(): Promise<void> {
    return this.#app('operator-api', 'operator-api', 'api', {
      PORTOLAN_API_PORT: String(this.options.ports.api),
    });
  }

  startAgent(name: string): Promise<void> {
    const plan = this.options.hosts.find((h) => h.name === name);
    if (plan === undefined) throw new Error(`no host ${name} was planned`);
    return this.#app(`host-agent-${name}`, 'host-agent', `host.${name}`, {
      PORTOLAN_HOST: name,
      PORTOLAN_STATE_DIR: join(this.options.home, 'hosts', name),
      PORTOLAN_DOCUMENT_KEY: this.#keys.public,
      ...plan.env,
    });
  }

  /** Agents first, the log last: nothing that is under way is cut off. */
  stop(): Promise<void> {
    return this.children.stop([
      'host-agent',
      'operator-api',
      'migration-coordinator',
      'switch-manager',
      'nats-server',
    ]);
  }

  #app(process_: string, app: string, user: string, env: NodeJS.ProcessEnv): Promise<void> {
    const { home, dist, ports, env: more = {} } = this.options;
    const flags = app === 'host-agent' ? AGENT_HEAP : app === 'switch-manager' ? MANAGER_HEAP : [];
    const program = join(dist, 'apps', app, 'src', 'main.js');
    return this.children.start(process_, process.execPath, [...flags, program], {
      PORTOLAN_NATS_URL: `nats://127.0.0.1:${ports.nats}`,
      PORTOLAN_NATS_CREDENTIALS: credentialsPath(join(home, 'credentials'), user),
      PORTOLAN_ARCHIVE_DIR: join(home, 'archive'),
      ...env,
      ...more[process_],
    });
  }
}

const natsFiles = (home: string): { readonly file: string; readonly pidFile: string } => ({
  file: join(home, 'nats', 'nats-server.conf'),
  pidFile: join(home, 'nats', 'nats-server.pid'),
});

/** A starter that was killed leaves its nats-server behind, which knows nothing of us: it is ended at the next start. */
export async function endLeftoverNats(home: string, say: (line: string) => void): Promise<void> {
  const { file, pidFile } = natsFiles(home);
  if (await endLeftover(pidFile, file)) say('ended a nats-server that an earlier start left behind');
}

/** The managers' Ed25519 key pair, made at the first start; only its owner can read it. */
async function signingKeys(dir: string): Promise<{ readonly private: string; readonly public: string }> {
  const paths = { private: join(dir, 'manager.pem'), public: join(dir, 'manager.pub.pem') };
  if (existsSync(paths.private) && existsSync(paths.public)) return paths;
  const pair = generateKeyPairSync('ed25519');
  await writeFile(paths.private, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(paths.public, pair.publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o600 });
  return paths;
}
