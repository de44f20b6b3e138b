import { type LabHost } from '../net.js';
import { type End, type Move } from './move.js';
import { type ChaosWorld } from './world.js';

/** Kills at once; gives what a supervisor does then. */
export async function kill(world: ChaosWorld, move: Move, victim: string): Promise<() => Promise<void>> {
  const { cluster } = world.spine;
  const service = async (name: string, start: () => Promise<void>): Promise<() => Promise<void>> => {
    await cluster.children.kill(name);
    return start;
  };
  const [what, at] = victim.split('@');
  const end: End = at === 'destination' ? 'destination' : 'source';
  const name = move[end];
  switch (what) {
    case 'manager': {
      const { leader } = await world.spine.api.status();
      return service(`switch-${leader}`, () => cluster.startManager(Number(leader?.split('-').at(-1))));
    }
    case 'coordinator':
      return service('migration-coordinator', () => cluster.startCoordinator());
    case 'nats':
      return service('nats-server', () => cluster.startNats());
    case 'agent':
      return service(`host-agent-${name}`, () => cluster.startAgent(name));
    case 'vswitchd':
    case 'ovsdb':
      return killSwitch(world.spine.lab.host(name), what);
    default:
      return move.kill(what ?? '', end);
  }
}

async function killSwitch(host: LabHost, what: 'vswitchd' | 'ovsdb'): Promise<() => Promise<void>> {
  if (what === 'vswitchd') {
    await host.killVswitchd();
    return () => host.startVswitchd();
  }
  await host.killOvsdb();
  return () => host.startOvsdb();
}
