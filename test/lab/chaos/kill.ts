import { type LabHost } from '../net.js';
import { type QemuRun } from '../qemu.js';
import { type Move } from './move.js';
import { type Victim } from './outcomes.js';
import { type ChaosWorld } from './world.js';

/** Kills at once; gives what a supervisor does then. */
export async function kill(world: ChaosWorld, move: Move, victim: Victim): Promise<() => Promise<void>> {
  const { cluster } = world.spine;
  const service = async (name: string, start: () => Promise<void>): Promise<() => Promise<void>> => {
    await cluster.children.kill(name);
    return start;
  };
  const [what, end] = victim.split('@');
  const run = end === 'destination' ? move.to : move.from;
  const name = end === 'destination' ? move.destination : move.source;
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
    case 'qemu':
      return killQemu(run);
    default:
      return killSwitch(world.spine.lab.host(name), what);
  }
}

async function killQemu(run: QemuRun | null): Promise<() => Promise<void>> {
  if (run === null) throw new Error('there is no QEMU yet');
  await run.kill();
  return () => Promise.resolve();
}

async function killSwitch(host: LabHost, what: string | undefined): Promise<() => Promise<void>> {
  if (what === 'vswitchd') {
    await host.killVswitchd();
    return () => host.startVswitchd();
  }
  await host.killOvsdb();
  return () => host.startOvsdb();
}
