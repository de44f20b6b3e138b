import { expect } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type WriteResult } from '#contracts/http';
import { type CommitEnvelope } from '#event-store';
import { ROOT, until, type World } from '../process/cluster.fixture.js';
import { auditLoad, auditState } from './support/audit.js';
import { FLOOD_PLANS, type FloodAnswer, type FloodOrder, type FloodPlan } from './support/flood-plan.js';
import { Load } from './support/load.js';
import { sized, type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';

/** One frame reaches some 480 ports of a segment whose frames are filtered: more of a host are refused. */
const PORTS = sized(100, 450);
const FLAP_MS = sized(3_000, 90_000);
const DRIFTS = 10_000;

const PLANS: readonly FloodPlan[] = sized([FLOOD_PLANS[0]], [...FLOOD_PLANS]);
const [{ host: FLOOD_HOST, number: FLOOD_NUMBER }] = FLOOD_PLANS;

const HOSTS = PLANS.map(
  (p) => `{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: ${p.host} }, spec: {} }
---
{ apiVersion: portolan.dev/v1, kind: StandardSwitch, metadata: { name: ${p.switch} }, spec: { members: { ${p.host}: {} } } }
---
`,
).join('');
/** Their policy refuses one TCP port. */
const groups = (port: number): string =>
  PLANS.map(
    (p) =>
      `{ apiVersion: portolan.dev/v1, kind: PortGroup, metadata: { name: ${p.switch} }, spec: { switch: ${p.switch}, binding: static, ports: ${PORTS}, policy: { filter: [{ name: one, direction: out, action: drop, match: { ipProtocol: 6, dstPort: { from: ${port}, to: ${port} } } }] } } }`,
  ).join('\n---\n');

export const flood: Scenario = {
  name: 'a port that flaps 1,000 times a second and 10,000 drifts at once: the log stays small, policy goes on',
  short: true,
  play: async (world) => {
    await world.api.apply(HOSTS + groups(1), 0);
    const hosts: FloodHost[] = [];
    const all = async (order: FloodOrder): Promise<FloodAnswer> => {
      const answers = await Promise.all(hosts.map((host) => host.order(order)));
      return { done: answers.reduce((sum, { done }) => sum + done, 0) };
    };
    try {
      for (const plan of PLANS) hosts.push(await startHost(world, plan));
      const [host] = hosts as [FloodHost];
      const seen = new Seen(world, 'flood');
      const look = (moment: string) =>
        seen.at(
          moment,
          'get hosts',
          `describe host ${FLOOD_HOST}`,
          'events --type FlappingObserved',
          'events --type DriftObserved',
          `events --object host/${FLOOD_HOST} --limit 12`,
        );
      const load = new Load(world.cluster.api, 'flood', 1);
      const standing = hosts.reduce((sum, { flows }) => sum + flows, 0);
      await during(world, host.order({ do: 'flap', ms: FLAP_MS }), (commits, flaps, took) => {
        expect(flaps).toBeGreaterThanOrEqual(FLAP_MS * 0.99);
        // What was told before it was damped, and one line a minute.
        expect(commits.length).toBeLessThan(60 + took / 5_000);
      });
      await look('after it flapped');
      await until('the port that flapped to be bound', async () => {
        const { items } = await world.api.ports(`?owner=vm-${FLOOD_NUMBER}-0`);
        return items[0]?.status.active?.host === FLOOD_HOST;
      });
      await during(world, all({ do: 'drift', most: DRIFTS }), (commits, drifts) => {
        expect(drifts).toBeGreaterThanOrEqual(sized(Math.min(DRIFTS, standing), DRIFTS) * 0.9);
        expect(commits.length).toBeLessThan(30 * PLANS.length);
      });
      await until('all flows to stand again', async () => (await all({ do: 'count' })).done >= standing);
      expect((await events(world, 'DriftObserved')).length).toBeGreaterThan(0);
      await load.stop();
      await look('after flows were deleted');
      await auditLoad(world, load);
      await auditState(world);
      expect(world.deaths).toEqual([]);
    } finally {
      for (const host of hosts) await host.stop();
    }
  },
};

interface FloodHost {
  readonly flows: number;
  order(what: FloodOrder): Promise<FloodAnswer>;
  stop(): Promise<void>;
}

async function startHost(world: World, plan: FloodPlan): Promise<FloodHost> {
  const { home, ports } = world.cluster.options;
  const child = fork(join(ROOT, 'dist', 'test', 'chaos', 'support', 'flood-host.js'), [], {
    env: {
      ...process.env,
      CHAOS_FLOOD: JSON.stringify({ home, server: `127.0.0.1:${ports.nats}`, ports: PORTS, plan }),
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { done } = await answerOf(child);
  return {
    flows: done,
    order: (what) => {
      child.send(what);
      return answerOf(child);
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function answerOf(child: ChildProcess): Promise<FloodAnswer> {
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as FloodAnswer);
    });
    const ended = (): void => reject(new Error('the flooding host ended'));
    child.once('exit', ended);
  });
}

/** While it floods, policy changes reach the host itself and the others; then what the host made of it is looked at. */
async function during(
  world: World,
  flooding: Promise<FloodAnswer>,
  judge: (commits: readonly CommitEnvelope[], done: number, tookMs: number) => void,
): Promise<void> {
  const before = (await world.log()).length;
  const began = performance.now();
  const state = { over: false };
  const over = flooding.finally(() => (state.over = true));
  let port = before;
  do {
    const written: WriteResult = await world.api.apply(groups((port += 1) % 60_000), 20);
    expect(written.realised).toMatchObject({ realised: true });
  } while (!state.over);
  const { done } = await over;
  const last = await world.api.apply(groups((port + 1) % 60_000), 20);
  expect(last.realised).toMatchObject({ realised: true });
  const commits = (await world.log())
    .slice(before)
    .filter((e) => PLANS.some((p) => e.actor === `host:${p.host}`));
  judge(commits, done, performance.now() - began);
}

const events = async (world: World, type: string): Promise<object[]> =>
  (await world.log())
    .flatMap((e) => ('events' in e.data ? e.data.events : []))
    .flatMap((e) => (e.type === type ? [e.data as object] : []));
