import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DIST, residentMb, withCluster, type BenchCluster } from '../support/cluster.js';
import { type Bench, type Figure } from '../support/figure.js';
import { dropping, manifest } from '../support/manifest.js';
import { spread } from '../support/stats.js';
import {
  DEVICE,
  groupNames,
  NARROW,
  NARROW_HOSTS,
  shapes,
  SWITCH,
  WIDE,
  type HostShape,
  type SwarmPlan,
} from './plan.js';

const HOSTS = Number(process.env['PORTOLAN_BENCH_HOSTS'] ?? 1000);
const PORTS = 60;
const PROCESSES = 2;
const PAUSE_MS = 200;
/** All hosts of the cluster compete with the manager for this machine, and there is nobody to take over from it. */
const MANAGER = { 'switch-manager-1': { PORTOLAN_LEASE_MS: '30000' } };
/** Five hundred switches with all their flows live in each. */
const SWARM_HEAP = '--max-old-space-size=6000';
/** Hosts that are not up by then are left out, and the figure says so. */
const BUILD_UP_MS = 240_000;
/** For each figure; fewer changes are measured where one takes long. */
const MEASURE_MS = 45_000;
/** Medians and 99th percentile of what others report for a programming change of this kind. */
const BAR = { p50: 184, p99: 576 };

/** A thousand hosts, each with its own connection and account: a change of a group that all of them have, and ten. */
export const scale: Bench = (say) => {
  const hosts = shapes(HOSTS, PORTS);
  const accounts = hosts.map((h) => h.name);
  return withCluster({ say, hosts: () => [], accounts, managers: 1, env: MANAGER }, async (it) => {
    const begun = performance.now();
    const seconds = (): string => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
    await define(it, hosts);
    say(`${HOSTS} hosts defined in ${seconds()}`);
    const swarm = startSwarm(it);
    try {
      const ready = Promise.all(swarm.map(async (child) => Number((await once(child, 'message'))[0])));
      const enough = setTimeout(() => swarm.forEach((child) => child.send('enough')), BUILD_UP_MS);
      const up = (await ready).reduce((sum, n) => sum + n, 0);
      clearTimeout(enough);
      say(`${up} of ${HOSTS} hosts came up in ${seconds()}`);
      await change(it, WIDE, 0, up);
      const buildUp = (performance.now() - begun) / 1000;
      const memory = await memoryOf(it, swarm);
      return [
        await measure(it, NARROW, Math.min(up, NARROW_HOSTS), {
          buildUpSeconds: Math.round(buildUp),
          residentMb: memory,
        }),
        await measure(it, WIDE, up, {}),
      ];
    } finally {
      for (const child of swarm) child.kill('SIGTERM');
    }
  });
};

function startSwarm({ home, cluster }: BenchCluster): ChildProcess[] {
  const server = `nats://127.0.0.1:${cluster.options.ports.nats}`;
  return Array.from({ length: PROCESSES }, (_, share) => {
    const plan: SwarmPlan = { home, server, hosts: HOSTS, ports: PORTS, share, processes: PROCESSES };
    return fork(join(DIST, 'test', 'bench', 'scale', 'swarm.js'), [], {
      env: { ...process.env, PORTOLAN_SWARM: JSON.stringify(plan) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, SWARM_HEAP],
    });
  });
}

async function define({ api }: BenchCluster, shapesOf: readonly HostShape[]): Promise<void> {
  const hosts = shapesOf.map((h) => h.name);
  const groups = groupNames(shapesOf).map((name) => ({
    name,
    switch: SWITCH,
    ports: 0,
    policy: dropping(0),
  }));
  await api.apply(manifest({ hosts, switch: { name: SWITCH, hosts, device: DEVICE }, groups }), 0);
}

async function change({ api }: BenchCluster, group: string, n: number, hosts: number): Promise<number> {
  const begun = performance.now();
  const text = manifest({ groups: [{ name: group, switch: SWITCH, ports: 0, policy: dropping(n + 1) }] });
  const { realised } = await api.apply(text, 60);
  const took = performance.now() - begun;
  if (realised?.realised !== true || realised.of !== hosts)
    throw new Error(`change ${n} of ${group} was not realised: ${JSON.stringify(realised).slice(0, 500)}`);
  return took;
}

async function measure(it: BenchCluster, group: string, hosts: number, detail: object): Promise<Figure> {
  const [warmUp, changes] = group === WIDE ? [0, 5] : [5, 40];
  const times: number[] = [];
  const end = performance.now() + MEASURE_MS;
  for (let i = 1; i <= warmUp + changes && (performance.now() < end || times.length === 0); i++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const took = await change(it, group, i, hosts);
    if (i > warmUp) times.push(took);
  }
  const figure = spread(times);
  return {
    bench: 'scale-1000',
    what: `policy change, request to realised, on ${hosts} hosts (of ${HOSTS} × ${PORTS} ports)`,
    unit: 'ms',
    spread: figure,
    target: {
      text: `p50 < ${BAR.p50}, p99 < ${BAR.p99}`,
      met: figure.p50 < BAR.p50 && figure.p99 < BAR.p99,
    },
    detail: { ...detail },
  };
}

async function memoryOf(
  { cluster }: BenchCluster,
  swarm: readonly ChildProcess[],
): Promise<Record<string, number | null>> {
  const found: Record<string, number | null> = {};
  for (const name of ['nats-server', 'switch-manager-1', 'operator-api', 'migration-coordinator'])
    found[name] = await residentMb(cluster.children.pidOf(name));
  for (const [i, child] of swarm.entries()) found[`swarm-${i + 1}`] = await residentMb(child.pid);
  return found;
}
