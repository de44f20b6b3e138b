import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Snapshot } from '../sync/snapshot.js';
import { Cluster } from './cluster.js';
import { HOSTS } from './world.js';

/** One story: anything may happen between any two writes; in the end the weather clears and all must agree. */
async function story(seed: number): Promise<number> {
  const cluster = new Cluster(seed);
  const { random, clock, weather } = cluster;
  const disks = new Map<string, Snapshot>();
  cluster.lead();
  for (const host of HOSTS) if (random.chance(0.7)) cluster.join(host);
  for (let i = 0; i < 30; i += 1) {
    happen(cluster, disks);
    await clock.advance(random.chance(0.1) ? 3500 : random.below(300));
    expect(cluster.errors).toEqual([]);
  }
  Object.assign(weather, { drop: 0, duplicate: 0, failure: 0 });
  cluster.lead();
  for (const host of HOSTS) {
    if (!cluster.agents.has(host)) cluster.join(host, disks.get(host));
    cluster.agents.get(host)?.source.reconnect();
  }
  await clock.advance(15_000);
  expect(HOSTS.map((host) => cluster.behind(host)).filter((w) => w !== null)).toEqual([]);
  expect(cluster.difference()).toEqual([]);
  await cluster.sweep();
  await clock.advance(5000);
  expect(cluster.tombstones()).toBe(0);
  expect(cluster.errors).toEqual([]);
  cluster.stop();
  return cluster.claims;
}

function happen(cluster: Cluster, disks: Map<string, Snapshot>): void {
  const { random } = cluster;
  const host = HOSTS[random.below(HOSTS.length)] ?? 'h0';
  const agent = cluster.agents.get(host as never);
  switch (random.below(20)) {
    case 0:
      cluster.killLeader(random.below(8));
      return;
    case 1:
      return cluster.lead();
    case 2:
      cluster.freezeLeader(random.below(4000));
      return cluster.lead();
    case 3:
      if (random.chance(0.3)) cluster.newLineage();
      return;
    case 4:
      agent?.source.disconnect();
      return;
    case 5:
      agent?.source.reconnect();
      return;
    case 6: {
      const held = cluster.leave(host as never);
      if (held !== null) disks.set(host, held);
      return;
    }
    case 7:
      if (agent === undefined) cluster.join(host as never, random.chance(0.5) ? disks.get(host) : undefined);
      return;
    case 8:
      return void cluster.sweep();
    case 9:
      if (random.chance(0.2)) cluster.wipe();
      return;
    default:
      for (let i = random.below(4); i >= 0; i -= 1) cluster.commit();
  }
}

describe('documents, marks and agents under loss, delay, repetition, disorder and deaths', () => {
  it('never claim what is not so, and agree in the end', async () => {
    let claims = 0;
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      claims += await story(seed);
    });
    await fc.assert(property, { numRuns: 200, endOnFailure: true });
    expect(claims).toBeGreaterThan(10_000);
  });
});
