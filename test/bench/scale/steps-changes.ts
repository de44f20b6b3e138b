import { type Figure } from '../support/figure.js';
import { spread } from '../support/stats.js';
import { pause } from '../support/until.js';
import { groupNames, NARROW, NARROW_HOSTS, shapes, SWITCH, WIDE } from './plan.js';
import { cpuBetween, type ScaleWorld } from './world.js';

const PAUSE_MS = 200;
/** For each figure; fewer changes are measured where one takes long. */
const MEASURE_MS = 20_000;
const BURST = 100;
const SWITCH_CHANGES = 3;
/** Medians and 99th percentile of what others report for a programming change of this kind. */
const BAR = { p50: 184, p99: 576 };
const ALL_MS = 2_000;

/** A change of one group after the other: on ten hosts, then on all. */
export async function changes(world: ScaleWorld): Promise<Figure[]> {
  const some = Math.min(world.up, NARROW_HOSTS);
  const narrow = await oneByOne(world, 105, 5, () => world.change(NARROW, some));
  const wide = await oneByOne(world, 6, 1, () => world.change(WIDE, world.up));
  const met = narrow.spread.p50 < BAR.p50 && narrow.spread.p99 < BAR.p99;
  return [
    {
      ...figure(world, `change of a group on ${some} hosts, request to realised`, narrow),
      target: { text: `p50 < ${BAR.p50}, p99 < ${BAR.p99}`, met },
    },
    {
      ...figure(world, `change of a group on all ${world.up} hosts, request to realised`, wide),
      target: { text: `p50 < ${ALL_MS}`, met: wide.spread.p50 < ALL_MS },
    },
  ];
}

/** As many groups of racks, each changed once, all at the same time: until each is realised. */
export async function burst(world: ScaleWorld): Promise<Figure[]> {
  const hosts = shapes(world.size, 0, world.up);
  const groups = groupNames(hosts).filter((name) => name !== WIDE && name !== NARROW);
  const step = Math.max(1, Math.floor(groups.length / BURST));
  const chosen = groups.filter((_, i) => i % step === 0).slice(0, BURST);
  const targets = new Map(chosen.map((name) => [name, hosts.filter((h) => h.groups.includes(name)).length]));
  const before = await world.cpu();
  const times = await Promise.all([...targets].map(([name, count]) => world.change(name, count)));
  const cpuMs = cpuBetween(before, await world.cpu());
  const what = `${chosen.length} changes of groups at once, each to realised`;
  return [figure(world, what, { spread: spread(times), cpuMs })];
}

/** A policy of the whole switch, which every port inherits: all ports of all hosts are compiled anew. */
export async function ofSwitch(world: ScaleWorld): Promise<Figure[]> {
  let n = 0;
  const change = (): Promise<number> =>
    world.realised(world.switchText({ forgedTransmits: (n += 1) % 2 === 1 }), world.up);
  const measured = await oneByOne(world, SWITCH_CHANGES, 0, change);
  return [figure(world, `change of ${SWITCH}'s own policy on all ${world.up} hosts, to realised`, measured)];
}

interface Measured {
  readonly spread: Figure['spread'];
  /** Of each process, ms a change. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

async function oneByOne(
  world: ScaleWorld,
  count: number,
  warmUp: number,
  change: () => Promise<number>,
): Promise<Measured> {
  const times: number[] = [];
  const end = performance.now() + MEASURE_MS;
  const before = await world.cpu();
  let done = 0;
  for (; done < count && (performance.now() < end || times.length === 0); done++) {
    await pause(PAUSE_MS);
    const took = await change();
    if (done >= warmUp) times.push(took);
  }
  return { spread: spread(times), cpuMs: cpuBetween(before, await world.cpu(), done) };
}

const figure = (world: ScaleWorld, what: string, { spread: it, cpuMs }: Measured): Figure => ({
  bench: 'scale',
  what,
  unit: 'ms',
  spread: it,
  detail: { hosts: world.up, cpuMsPerChange: cpuMs },
});
