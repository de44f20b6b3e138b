import { freePorts } from '../../../deploy/quickstart/ports.js';
import { withCluster } from '../support/cluster.js';
import { atMost, type Bench, type Figure } from '../support/figure.js';
import { spread } from '../support/stats.js';
import { hostName, NARROW, NARROW_HOSTS, WIDE } from './plan.js';
import { scaleSettings, type ScaleSettings, type Step } from './settings.js';
import { burst, changes, ofSwitch } from './steps-changes.js';
import { dead, MANAGERS, outages, takeover } from './steps-faults.js';
import { idle } from './step-idle.js';
import { moves } from './steps-moves.js';
import { Swarm } from './swarm-processes.js';
import { cpuBetween, ScaleWorld } from './world.js';

/** Hosts that are not up by then are left out, and the figure says so. */
const BUILD_UP_MS = 900_000;
const LEADER_MB = 2_048;

const RUN: Readonly<Record<Step, (world: ScaleWorld) => Promise<Figure[]>>> = {
  idle,
  changes,
  burst,
  switch: ofSwitch,
  moves,
  takeover,
  outages,
  dead,
};
/** What ends with the cluster not as it was, and need not be seen at every size. */
const LAST_ONLY: ReadonlySet<Step> = new Set(['switch', 'moves', 'outages', 'dead']);

type Say = (line: string) => void;

/** Thousands of hosts, each with its own connection and account: changes, moves and faults, at one size or at several. */
export const scale: Bench = (say) => {
  const settings = scaleSettings(process.env);
  return withWorld(settings, say, (world) => measure(world, settings, say));
};

/** A cluster for that many hosts, of which none is defined or up yet; taken down afterwards. */
export async function withWorld<T>(
  { size, processes }: Pick<ScaleSettings, 'size' | 'processes'>,
  say: Say,
  work: (world: ScaleWorld) => Promise<T>,
): Promise<T> {
  const accounts = Array.from({ length: size.hosts }, (_, number) => hostName(number));
  const health = await freePorts(MANAGERS.length);
  const env = Object.fromEntries(
    MANAGERS.map((name, i) => [name, { PORTOLAN_HEALTH_PORT: String(health[i]) }]),
  );
  return withCluster({ say, hosts: () => [], accounts, env }, async (it) => {
    const server = `nats://127.0.0.1:${it.cluster.options.ports.nats}`;
    const plan = { home: it.home, server, size, processes };
    const begun = performance.now();
    const swarm = new Swarm(plan, (up) => {
      if (up % Math.max(10, Math.round(size.hosts / 10)) === 0)
        say(`${up} hosts up after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    });
    try {
      return await work(new ScaleWorld(it, swarm, size, health, say));
    } finally {
      await swarm.stop();
    }
  });
}

async function measure(world: ScaleWorld, settings: ScaleSettings, say: Say): Promise<Figure[]> {
  const figures: Figure[] = [];
  const end = performance.now() + settings.limitMs;
  for (const stage of settings.stages) {
    figures.push(...(await buildUp(world, stage)));
    for (const step of settings.steps) {
      if (LAST_ONLY.has(step) && stage !== settings.stages.at(-1)) continue;
      if (performance.now() < end) figures.push(...(await tried(world, step, say)));
      else figures.push(failure(`${step} with ${world.up} hosts`, 'there was no time left for it'));
    }
    figures.push(await atRest(world));
  }
  return figures;
}

/** A step that fails is a figure that says so, as long as the cluster stands; the next ones are tried. */
async function tried(world: ScaleWorld, step: Step, say: Say): Promise<Figure[]> {
  say(`${step} with ${world.up} hosts`);
  try {
    const figures = await RUN[step](world);
    for (const { what, unit, spread: s } of figures)
      say(`  ${what}: p50 ${s.p50} ${unit}, p99 ${s.p99} ${unit} (${s.n})`);
    return figures;
  } catch (cause) {
    const { deaths } = world.it;
    if (deaths.length > 0) throw cause;
    const why = cause instanceof Error ? `${cause.message}${because(cause)}` : String(cause);
    say(`${step} FAILED: ${why}`);
    return [failure(`${step} with ${world.up} hosts`, why)];
  }
}

const failure = (what: string, failed: string): Figure => ({
  bench: 'scale',
  what,
  unit: 'ms',
  spread: spread([]),
  failed,
});

const because = ({ cause }: Error): string => (cause === undefined ? '' : ` (${String(cause)})`);

export async function buildUp(world: ScaleWorld, to: number): Promise<Figure[]> {
  const from = world.defined;
  const begun = performance.now();
  const before = await world.cpu();
  await world.define(to);
  const definedMs = performance.now() - begun;
  world.say(`${to} hosts defined after ${(definedMs / 1000).toFixed(1)} s`);
  world.up = await world.swarm.grow(from, to, BUILD_UP_MS);
  // Everybody carries everything out: the last of what they reported is in the log and came back as documents.
  await world.change(WIDE, world.up);
  await world.change(NARROW, Math.min(world.up, NARROW_HOSTS));
  const seconds = (performance.now() - begun) / 1000;
  const cpuMsPerHost = cpuBetween(before, await world.cpu(), to - from);
  world.say(`${world.up} hosts up and in step after ${seconds.toFixed(0)} s`);
  return [
    {
      bench: 'scale',
      what: `hosts ${from} to ${to} built up`,
      unit: 's',
      spread: spread([seconds]),
      ...(world.up === to ? {} : { failed: `${to - world.up} hosts did not come up` }),
      detail: { hosts: world.up, definedMs: Math.round(definedMs), cpuMsPerHost, ...(await sizes(world)) },
    },
  ];
}

/** What it takes after everything was done to it. */
async function atRest(world: ScaleWorld): Promise<Figure> {
  const found = await sizes(world);
  const leader = Math.max(...MANAGERS.map((name) => found.residentMb[name] ?? NaN));
  return {
    bench: 'scale',
    what: `memory of the larger switch-manager with ${world.up} hosts`,
    unit: 'MB',
    spread: spread([leader]),
    target: atMost(LEADER_MB, leader),
    detail: { hosts: world.up, ...found },
  };
}

async function sizes(world: ScaleWorld) {
  return { residentMb: await world.resident(), streamsMb: await world.streams() };
}
