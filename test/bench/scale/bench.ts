import { cpuSeconds, residentMb, withCluster, type BenchCluster } from '../support/cluster.js';
import { type Bench, type Figure } from '../support/figure.js';
import { dropping, manifest } from '../support/manifest.js';
import { spread } from '../support/stats.js';
import { DEVICE, groupNames, NARROW, NARROW_HOSTS, shapes, SWITCH, WIDE, type HostShape } from './plan.js';
import { Swarm } from './swarm-processes.js';

const HOSTS = Number(process.env['PORTOLAN_BENCH_HOSTS'] ?? 1000);
const PORTS = 60;
const PROCESSES = 2;
const PAUSE_MS = 200;
/** All hosts of the cluster compete with the manager for this machine, and there is nobody to take over from it. */
const LEASE_MS = process.env['PORTOLAN_BENCH_LEASE_MS'] ?? '30000';
const MANAGER = { 'switch-manager-1': { PORTOLAN_LEASE_MS: LEASE_MS } };
/** Hosts that are not up by then are left out, and the figure says so. */
const BUILD_UP_MS = 300_000;
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
    const server = `nats://127.0.0.1:${it.cluster.options.ports.nats}`;
    const plan = { home: it.home, server, hosts: HOSTS, ports: PORTS, processes: PROCESSES };
    const swarm = new Swarm(plan, progress(it, say));
    try {
      const up = await swarm.built(BUILD_UP_MS);
      say(`${up} of ${HOSTS} hosts came up in ${seconds()}`);
      await change(it, WIDE, 0, up);
      const built = {
        buildUpSeconds: Math.round((performance.now() - begun) / 1000),
        cpuSeconds: await each(it, swarm, cpuSeconds),
        residentMb: await each(it, swarm, residentMb),
      };
      return [
        await measure(it, swarm, NARROW, Math.min(up, NARROW_HOSTS), built),
        await measure(it, swarm, WIDE, up, {}),
      ];
    } finally {
      await swarm.stop();
    }
  });
};

/** Says how far it is and what that took of the processor, at every tenth part: growth shows at once. */
function progress(it: BenchCluster, say: (line: string) => void) {
  const begun = performance.now();
  return (swarm: Swarm, up: number): void => {
    if (up % Math.max(10, Math.round(HOSTS / 10)) !== 0) return;
    const after = ((performance.now() - begun) / 1000).toFixed(1);
    void each(it, swarm, cpuSeconds).then((cpu) => {
      const used = Object.entries(cpu).map(([name, seconds]) => `${name} ${seconds}`);
      say(`${up} hosts up after ${after} s; CPU seconds: ${used.join(', ')}`);
    });
  };
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

async function measure(
  it: BenchCluster,
  swarm: Swarm,
  group: string,
  hosts: number,
  detail: object,
): Promise<Figure> {
  const [warmUp, changes] = group === WIDE ? [0, 5] : [5, 40];
  const times: number[] = [];
  const end = performance.now() + MEASURE_MS;
  const before = await each(it, swarm, cpuSeconds);
  for (let i = 1; i <= warmUp + changes && (performance.now() < end || times.length === 0); i++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const took = await change(it, group, i, hosts);
    if (i > warmUp) times.push(took);
  }
  const figure = spread(times);
  const after = await each(it, swarm, cpuSeconds);
  const used = Object.entries(after).map(([name, seconds]) => {
    const ms = ((seconds ?? NaN) - (before[name] ?? NaN)) * 1000;
    return [name, Math.round(ms / (warmUp + times.length))] as const;
  });
  return {
    bench: 'scale-1000',
    what: `policy change, request to realised, on ${hosts} hosts (of ${HOSTS} × ${PORTS} ports)`,
    unit: 'ms',
    spread: figure,
    // The bar is that of a change as tenants make it; one that touches every host is bound by the hosts' own work.
    ...(hosts === HOSTS
      ? {}
      : {
          target: {
            text: `p50 < ${BAR.p50}, p99 < ${BAR.p99}`,
            met: figure.p50 < BAR.p50 && figure.p99 < BAR.p99,
          },
        }),
    detail: { ...detail, cpuMsPerChange: Object.fromEntries(used) },
  };
}

async function each(
  { cluster }: BenchCluster,
  swarm: Swarm,
  ask: (pid: number | undefined) => Promise<number | null>,
): Promise<Record<string, number | null>> {
  const found: Record<string, number | null> = {};
  for (const name of ['nats-server', 'switch-manager-1', 'operator-api', 'migration-coordinator'])
    found[name] = await ask(cluster.children.pidOf(name));
  for (const [i, child] of swarm.children.entries()) found[`swarm-${i + 1}`] = await ask(child.pid);
  return found;
}
