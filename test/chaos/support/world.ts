import { startWorld, type World } from '../../process/cluster.fixture.js';
import { clockedEnv } from './clocks.js';
import { FLOOD_HOST } from './flood-plan.js';
import { COUNTED_GUESTS } from './ledger.js';

/** The cluster that everything happens to. */
export const startChaosWorld = (): Promise<World> =>
  startWorld({ guests: COUNTED_GUESTS, copyMs: 500, accounts: [FLOOD_HOST], env: clockedEnv });
