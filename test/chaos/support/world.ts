import { freePorts } from '../../../deploy/quickstart/ports.js';
import { startWorld, type World } from '../../process/cluster.fixture.js';
import { clockedEnv } from './clocks.js';
import { FLOOD_PLANS } from './flood-plan.js';
import { COUNTED_GUESTS } from './ledger.js';
import { Proxy } from './proxy.js';

/** The cluster that everything happens to, and the way of bravo to it. */
export interface ChaosWorld extends World {
  readonly bravosWay: Proxy;
}

export async function startChaosWorld(): Promise<ChaosWorld> {
  const [nats = 0] = await freePorts(1);
  const bravosWay = await Proxy.open(nats);
  try {
    const world = await startWorld({
      nats,
      guests: COUNTED_GUESTS,
      copyMs: 500,
      accounts: FLOOD_PLANS.map((plan) => plan.host),
      env: (home) => {
        const env = clockedEnv(home);
        return {
          ...env,
          'host-agent-bravo': { ...env['host-agent-bravo'], PORTOLAN_NATS_URL: bravosWay.url },
        };
      },
    });
    return {
      ...world,
      bravosWay,
      stop: async () => {
        await world.stop();
        bravosWay.close();
      },
    };
  } catch (error) {
    bravosWay.close();
    throw error;
  }
}
