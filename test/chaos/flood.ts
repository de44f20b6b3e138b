import { expect } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type WriteResult } from '#contracts/http';
import { type CommitEnvelope } from '#event-store';
import { ROOT, until, type World } from '../process/cluster.fixture.js';
import { auditLoad, auditState } from './support/audit.js';
import { FLOOD_HOST, FLOOD_SWITCH, type FloodAnswer, type FloodOrder } from './support/flood-plan.js';
import { Load } from './support/load.js';
import { sized, type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';

const PORTS = sized(100, 500);
const FLAP_MS = sized(3_000, 90_000);
const DRIFTS = 10_000;

const HOST = `{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: ${FLOOD_HOST} }, spec: {} }
---
{ apiVersion: portolan.dev/v1, kind: StandardSwitch, metadata: { name: ${FLOOD_SWITCH} }, spec: { members: { ${FLOOD_HOST}: {} } } }
`;
/** Its policy refuses one TCP port. */
const group = (port: number): string =>
  `{ apiVersion: portolan.dev/v1, kind: PortGroup, metadata: { name: ${FLOOD_SWITCH} }, spec: { switch: ${FLOOD_SWITCH}, binding: static, ports: ${PORTS}, policy: { filter: [{ name: one, direction: out, action: drop, match: { ipProtocol: 6, dstPort: { from: ${port}, to: ${port} } } }] } } }`;

export const flood: Scenario = {
  name: 'a port that flaps 1,000 times a second and 10,000 drifts at once: the log stays small, policy goes on',
  short: true,
  play: async (world) => {
    await world.api.apply(`${HOST}---\n${group(1)}`, 0);
    const host = await startHost(world);
    try {
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
      const standing = host.flows;
      await during(world, host.order({ do: 'flap', ms: FLAP_MS }), (commits, flaps, took) => {
        expect(flaps).toBeGreaterThanOrEqual(FLAP_MS * 0.99);
        // What was told before it was damped, and one line a minute.
        expect(commits.length).toBeLessThan(60 + took / 5_000);
      });
      await look('after it flapped');
      await until('the port that flapped to be bound', async () => {
        const { items } = await world.api.ports(`?owner=vm-9-0`);
        return items[0]?.status.active?.host === FLOOD_HOST;
      });
      await during(world, host.order({ do: 'drift', most: DRIFTS }), (commits, drifts) => {
        expect(drifts).toBeGreaterThanOrEqual(sized(Math.min(DRIFTS, standing), DRIFTS) * 0.9);
        expect(commits.length).toBeLessThan(30);
      });
      await until(
        'all flows to stand again',
        async () => (await host.order({ do: 'count' })).done >= standing,
      );
      expect((await events(world, 'DriftObserved')).length).toBeGreaterThan(0);
      await load.stop();
      await look('after flows were deleted');
      await auditLoad(world, load);
      await auditState(world);
      expect(world.deaths).toEqual([]);
    } finally {
      await host.stop();
    }
  },
};

interface FloodHost {
  readonly flows: number;
  order(what: FloodOrder): Promise<FloodAnswer>;
  stop(): Promise<void>;
}

async function startHost(world: World): Promise<FloodHost> {
  const { home, ports } = world.cluster.options;
  const child = fork(join(ROOT, 'dist', 'test', 'chaos', 'support', 'flood-host.js'), [], {
    env: {
      ...process.env,
      CHAOS_FLOOD: JSON.stringify({ home, server: `127.0.0.1:${ports.nats}`, ports: PORTS }),
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
    const written: WriteResult = await world.api.apply(group((port += 1) % 60_000), 20);
    expect(written.realised).toMatchObject({ realised: true });
  } while (!state.over);
  const { done } = await over;
  const last = await world.api.apply(group((port + 1) % 60_000), 20);
  expect(last.realised).toMatchObject({ realised: true });
  const commits = (await world.log()).slice(before).filter((e) => e.actor === `host:${FLOOD_HOST}`);
  judge(commits, done, performance.now() - began);
}

const events = async (world: World, type: string): Promise<object[]> =>
  (await world.log())
    .flatMap((e) => ('events' in e.data ? e.data.events : []))
    .flatMap((e) => (e.type === type ? [e.data as object] : []));
