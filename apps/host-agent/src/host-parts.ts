import { OvsDriver } from '#ovs';
import { type Driver } from '#openflow';
import { type HostAgentConfig } from './config.js';
import { NoHypervisor, type Hypervisor } from './hypervisor/hypervisor.js';
import { type SimulatedHost } from './hypervisor/simulated-host.js';
import { type StateDir } from './state/state-dir.js';

/** What an agent stands on. */
export interface HostParts {
  readonly driver: Driver;
  readonly hypervisor: Hypervisor;
  /** Null on a real host. */
  readonly simulated: SimulatedHost | null;
}

/** What is simulated is loaded only where it is wanted: no real host has to hold it in memory. */
export async function hostParts(config: HostAgentConfig, disk: StateDir): Promise<HostParts> {
  if (config.driver === 'simulated') {
    const { startSimulation } = await import('./start-simulation.js');
    const simulated = await startSimulation(config, disk);
    return { driver: simulated.driver, hypervisor: simulated.hypervisor, simulated };
  }
  const driver = new OvsDriver({
    rundir: config.ovsRundir,
    datapathType: config.ovsDatapath === 'netdev' ? 'netdev' : 'system',
  });
  return { driver, hypervisor: new NoHypervisor(), simulated: null };
}
