import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api, until } from './api.js';
import { Cluster, endLeftoverNats, type HostPlan } from './cluster.js';
import { fixedPorts, freePorts } from './ports.js';
import { GUESTS, HOSTS, simulationOf, type GuestPlan } from './simulation.js';
import { holdHome, releaseHome } from './starter.js';
import { playStory, STORY_GUESTS } from './story.js';

export interface QuickstartOptions {
  /** The checkout. */
  readonly root: string;
  readonly natsServer: string;
  readonly env: NodeJS.ProcessEnv;
  /** Lines for people. */
  readonly say: (line: string) => void;
}

/** Plays the story in a directory of its own on free ports, prints the figures, and says whether they agree. */
export async function once(options: QuickstartOptions): Promise<boolean> {
  const home = await mkdtemp(join(tmpdir(), 'portolan-once-'));
  const [nats = 0, api = 0] = await freePorts(2);
  const failures: string[] = [];
  const beginning = begin(options, home, { nats, api }, STORY_GUESTS, (line) => failures.push(line));
  // Also while it begins: nobody else would end the nats-server.
  const stopOnSignal = (): void =>
    void beginning.then((cluster) => cluster.stop()).finally(() => process.exit(130));
  process.once('SIGINT', stopOnSignal).once('SIGTERM', stopOnSignal);
  const cluster = await beginning;
  try {
    const client = await ready(cluster, options.say);
    const figures = await playStory(client, exampleOf(options), options.say);
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    for (const line of failures) options.say(line);
    const good = figures.agree && failures.length === 0;
    await cluster.stop();
    if (good) await rm(home, { recursive: true, force: true });
    else options.say(`data and logs are kept in ${home}`);
    return good;
  } catch (error) {
    options.say(`the story broke off; logs are kept in ${join(home, 'logs')}`);
    await cluster.stop();
    throw error;
  } finally {
    process.off('SIGINT', stopOnSignal).off('SIGTERM', stopOnSignal);
    await cluster.stop();
  }
}

/** Runs until Ctrl-C. What was there at the last start is found again. */
export async function run(options: QuickstartOptions): Promise<number> {
  const home = options.env['PORTOLAN_HOME'] ?? join(options.root, '.portolan');
  await mkdir(home, { recursive: true, mode: 0o700 });
  holdHome(home);
  try {
    return await runIn(home, options);
  } finally {
    releaseHome(home);
  }
}

async function runIn(home: string, options: QuickstartOptions): Promise<number> {
  // It would hold the port that is looked at next.
  await endLeftoverNats(home, options.say);
  const ports = await fixedPorts(options.env);
  let died: ((code: number) => void) | undefined;
  const over = new Promise<number>((resolve) => (died = resolve));
  // Also while it begins: nobody else would end the nats-server.
  const asked = (): void => died?.(0);
  process.on('SIGINT', asked).on('SIGTERM', asked);
  const cluster = await begin(options, home, ports, GUESTS, (line) => {
    options.say(line);
    died?.(1);
  });
  try {
    const code = await Promise.race([over, settle(cluster, options).then(() => over)]);
    options.say('stopping');
    return code;
  } finally {
    await cluster.stop();
  }
}

/** Until there is something to look at. */
async function settle(cluster: Cluster, options: QuickstartOptions): Promise<void> {
  const api = await ready(cluster, options.say);
  await applyExample(api, options);
  await until(
    'the guests to be connected',
    async () => (await api.status()).counts.connected >= GUESTS.length,
  );
  welcome(cluster, options.say);
}

async function begin(
  options: QuickstartOptions,
  home: string,
  ports: { readonly nats: number; readonly api: number },
  guests: readonly GuestPlan[],
  onDeath: (line: string) => void,
): Promise<Cluster> {
  return Cluster.start({
    home,
    dist: join(options.root, 'dist'),
    natsServer: options.natsServer,
    ports,
    hosts: await simulatedHosts(home, guests),
    say: options.say,
    onDeath: (name, how, log) => onDeath(`${name} ended (${how}); its log is ${log}`),
  });
}

/** Writes a simulation file for each host. `copyMs`: how long copying a guest's memory takes. */
export async function simulatedHosts(
  home: string,
  guests: readonly GuestPlan[],
  copyMs?: number,
): Promise<HostPlan[]> {
  await mkdir(join(home, 'hosts'), { recursive: true, mode: 0o700 });
  const free = await freePorts(HOSTS.length * 2);
  const ports = Object.fromEntries(
    HOSTS.map((host, i) => [host, { fabric: free[2 * i] ?? 0, migration: free[2 * i + 1] ?? 0 }]),
  );
  return Promise.all(
    HOSTS.map(async (host): Promise<HostPlan> => {
      const file = join(home, 'hosts', `${host}.json`);
      await writeFile(file, JSON.stringify(simulationOf(host, ports, guests, copyMs), null, 2), {
        mode: 0o600,
      });
      return { name: host, env: { PORTOLAN_DRIVER: 'simulated', PORTOLAN_SIMULATION: file } };
    }),
  );
}

async function ready(cluster: Cluster, say: (line: string) => void): Promise<Api> {
  const api = new Api(cluster.api);
  say('waiting for a leader');
  await until('a switch-manager to lead', async () => (await api.status()).leader !== null, 60_000);
  return api;
}

/** The example is applied to a cluster that holds nothing yet; what an operator made of it since is left alone. */
async function applyExample(api: Api, options: QuickstartOptions): Promise<void> {
  const { counts, revision } = await api.status();
  if (counts.switches > 0) return options.say(`found the data of the last start, at revision ${revision}`);
  const result = await api.apply(await readFile(exampleOf(options), 'utf8'));
  options.say(`applied deploy/examples/quickstart.yaml: revision ${result.revision}`);
}

const exampleOf = (options: QuickstartOptions): string =>
  join(options.root, 'deploy', 'examples', 'quickstart.yaml');

function welcome(cluster: Cluster, say: (line: string) => void): void {
  const { api, nats } = cluster.options.ports;
  const server = api === 7480 ? '' : ` --server ${cluster.api}`;
  say(`
Portolan runs: 2 switch-managers, migration-coordinator, operator-api, nats-server (port ${nats}),
and the agents of ${HOSTS.join(', ')} with ${GUESTS.length} VMs that send.

  API      ${cluster.api}   (OpenAPI: ${cluster.api}/openapi.json)
  Data     ${cluster.options.home}

Try, in another terminal:

  npx portolan${server} status
  npx portolan${server} get ports
  npx portolan${server} migrate web-1 --to charlie --wait
  npx portolan${server} stats --watch
  npx portolan${server} events --follow

Ctrl-C stops everything; the next npm start finds its data again.
`);
}
