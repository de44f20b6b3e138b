import { type Status } from '#contracts/http';
import { until } from '../../../deploy/quickstart/api.js';
import { atMost, type Figure } from '../support/figure.js';
import { round, spread } from '../support/stats.js';
import { listening, pause } from '../support/until.js';
import { hostName, NARROW, NARROW_HOSTS, rackGroup, WIDE } from './plan.js';
import { type ScaleWorld } from './world.js';

export const MANAGERS = ['switch-manager-1', 'switch-manager-2'] as const;

const LEADERS = 2;
const OUTAGES = [1_000, 10_000] as const;
const BAR_MS = 500;
const WAIT_MS = 2_000;
const READY_MS = 120_000;
/** Until everybody has heard of everybody again, and what the last fault left to do is done. */
const CALM_MS = 5_000;

/** The leader killed under this state: until the standby took a command, and until a change was realised. */
export async function takeover(world: ScaleWorld): Promise<Figure[]> {
  const taken: number[] = [];
  const done: number[] = [];
  const back: number[] = [];
  for (let i = 0; i < LEADERS; i++) {
    const { children } = world.it.cluster;
    const leader = await leaderOf(world);
    children.signal(leader, 'SIGKILL');
    let began = performance.now();
    try {
      const next = [world.accepted(rackGroup(0, 0)), world.change(NARROW, narrow(world))] as const;
      const [accepted, realised] = await Promise.all(next);
      world.say(
        `leader killed: a command accepted after ${round(accepted)} ms, a change realised after ${round(realised)}`,
      );
      taken.push(accepted);
      done.push(realised);
    } finally {
      await until('it to be gone', () => Promise.resolve(children.pidOf(leader) === undefined));
      began = performance.now();
      await world.it.cluster.startManager(MANAGERS.findIndex((name) => name === leader) + 1);
    }
    await ready(world);
    back.push(performance.now() - began);
    await calm(world);
  }
  return [
    figure(world, 'leader killed: the next command, request to accepted', taken, BAR_MS),
    figure(world, 'leader killed: the next change on few hosts, request to realised', done, BAR_MS),
    figure(world, 'a switch-manager started again: until it follows', back),
  ];
}

/** The message server and all managers away: from back to the next change realised, on few hosts and on all. */
export async function outages(world: ScaleWorld): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const ms of OUTAGES) {
    await world.it.cluster.children.kill('nats-server');
    await pause(ms);
    await world.it.cluster.startNats();
    await listening(world.it.cluster.options.ports.nats);
    figures.push(...(await next(world, `nats-server down for ${ms / 1000} s: from back to`)));
  }
  for (const ms of OUTAGES) {
    await Promise.all(MANAGERS.map((name) => world.it.cluster.children.kill(name)));
    await pause(ms);
    const began = performance.now();
    await Promise.all(MANAGERS.map((_, i) => world.it.cluster.startManager(i + 1)));
    await Promise.race(world.health.map(listening));
    const startMs = Math.round(performance.now() - began);
    figures.push(...(await next(world, `all managers down for ${ms / 1000} s: from back to`, { startMs })));
  }
  return figures;
}

async function next(world: ScaleWorld, what: string, detail: object = {}): Promise<Figure[]> {
  const some = await world.change(NARROW, narrow(world));
  const all = some + (await world.change(WIDE, world.up));
  world.say(`${what} ${round(some)} ms on few hosts, ${round(all)} ms on all`);
  await ready(world);
  await calm(world);
  return [
    figure(world, `${what} a change realised on few hosts`, [some], BAR_MS, detail),
    figure(world, `${what} a change realised on all hosts`, [all], undefined, detail),
  ];
}

/** One host dead for good: who waits is told its name in time, the state names it, and all others carry on. */
export async function dead(world: ScaleWorld): Promise<Figure[]> {
  const number = NARROW_HOSTS - 1;
  await world.swarm.kill(number);
  const began = performance.now();
  const { realised } = await world.it.api.apply(world.next(WIDE), WAIT_MS / 1000);
  const took = performance.now() - began;
  const named = (realised?.waiting ?? []).map((w) => w.host);
  const seenDown = await until(
    'the status to name it',
    async () => {
      const { hosts } = await world.it.api.get<Status>('/v1/status?digest=false');
      return hosts.behind.some((h) => h.host === hostName(number) && h.state !== 'up');
    },
    60_000,
  ).then(() => performance.now() - began);
  const after = await world.it.api.apply(world.next(WIDE), 20);
  const waiting = after.realised?.waiting ?? [];
  const isOnly = waiting.length === 1 && waiting[0]?.host === hostName(number);
  const others = { realised: after.realised?.hosts, of: after.realised?.of, waiting: waiting.slice(0, 3) };
  const it = figure(world, 'one host dead for good: a wait of 2 s returns', [took]);
  return [
    {
      ...it,
      target: {
        text: `≤ ${WAIT_MS + 500}, named`,
        met: took <= WAIT_MS + 500 && named.includes(hostName(number)),
      },
      detail: { hosts: world.up, named: named.length > 5 ? named.length : named },
    },
    {
      ...figure(world, 'one host dead for good: the status names it, after', [seenDown]),
      target: { text: 'it alone is waited for', met: isOnly },
      detail: { hosts: world.up, others },
    },
  ];
}

const narrow = (world: ScaleWorld): number => Math.min(world.up, NARROW_HOSTS);

export async function leaderOf(world: ScaleWorld): Promise<string> {
  return until('a leader', async () => {
    const { leader } = await world.it.api.get<Status>('/v1/status?digest=false');
    return leader === null ? null : `switch-${leader}`;
  });
}

async function ready(world: ScaleWorld): Promise<void> {
  for (const port of world.health)
    await until(
      'both managers to be ready',
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/health/ready`);
        return ((await answer.json()) as { readonly ok: boolean }).ok;
      },
      READY_MS,
    );
}

/** Either it leads, or it could at once. */
async function isPrepared(port: number): Promise<boolean> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const behind = /^portolan_manager_documents_behind\S* (\d+)$/m.exec(metrics)?.[1];
  return behind !== undefined && Number(behind) < 1_000;
}

async function calm(world: ScaleWorld): Promise<void> {
  await leaderOf(world);
  for (const port of world.health)
    await until('the standby to have its documents', () => isPrepared(port), READY_MS);
  await pause(CALM_MS);
}

function figure(world: ScaleWorld, what: string, times: number[], bar?: number, detail: object = {}): Figure {
  const it = spread(times);
  return {
    bench: 'scale',
    what,
    unit: 'ms',
    spread: it,
    ...(bar === undefined ? {} : { target: atMost(bar, it.max, 'all ') }),
    detail: { hosts: world.up, ...detail },
  };
}
