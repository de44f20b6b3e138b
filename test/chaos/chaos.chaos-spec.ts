import { afterAll, beforeEach, describe, it } from '@jest/globals';
import { agentsDiskFull } from './agents-disk-full.js';
import { clockJumps } from './clock-jumps.js';
import { deadHost } from './dead-host.js';
import { serversDiskFull } from './disk-full.js';
import { flood } from './flood.js';
import { killedAgents } from './killed-agents.js';
import { killedServices } from './killed-services.js';
import { lateFacts } from './late-facts.js';
import { leaderAsleep } from './leader-asleep.js';
import { restoredLogs } from './restored-log.js';
import { abandonClients, FULL, type Scenario } from './support/scenario.js';
import { startChaosWorld, type ChaosWorld } from './support/world.js';

const SCENARIOS: readonly Scenario<ChaosWorld>[] = [
  // While web-1 still sends.
  lateFacts,
  killedServices,
  killedAgents,
  leaderAsleep,
  clockJumps,
  serversDiskFull,
  agentsDiskFull,
  flood,
  ...restoredLogs,
  deadHost,
];

const LIMIT_MS = 300_000;

/** One cluster for all of them: each leaves it whole. After one that failed, the next begins with another. */
describe('chaos', () => {
  let world: ChaosWorld | null = null;
  let failed = false;
  beforeEach(async () => {
    abandonClients();
    if (failed) await world?.stop();
    if (world !== null && !failed) return;
    world = await startChaosWorld();
    failed = true;
    await world.apply();
  });
  afterAll(async () => {
    abandonClients();
    await world?.stop();
  });

  for (const { name, short, obstacle, play } of SCENARIOS) {
    if (!short && !FULL) continue;
    const why = obstacle?.() ?? null;
    if (why !== null) {
      it.skip(`${name}: left out, ${why}`, () => undefined);
      continue;
    }
    it(
      name,
      async () => {
        failed = true;
        await play(world!);
        failed = false;
      },
      LIMIT_MS,
    );
  }
});
