import { type Logger } from 'pino';
import { OvsDriver } from '#ovs';
import { type Driver } from '#openflow';
import { type HostAgentConfig } from './config.js';
import { NoHypervisor, type Hypervisor } from './hypervisor/hypervisor.js';
import { type SimulatedHost } from './hypervisor/simulated-host.js';
import { HostDevices } from './pnics/devices.js';
import { pnics } from './pnics/service.js';
import { type MakeService } from './service.js';
import { type StateDir } from './state/state-dir.js';

/** What an agent stands on. */
export interface HostParts {
  readonly driver: Driver;
  readonly hypervisor: Hypervisor;
  /** Null on a real host. */
  readonly simulated: SimulatedHost | null;
  /** What looks at the host itself. */
  readonly services: readonly MakeService[];
}

/** What is simulated is loaded only where it is wanted: no real host has to hold it in memory. */
export async function hostParts(config: HostAgentConfig, disk: StateDir, logger: Logger): Promise<HostParts> {
  if (config.driver === 'simulated') {
    const { startSimulation } = await import('./start-simulation.js');
    const simulated = await startSimulation(config, disk);
    return { driver: simulated.driver, hypervisor: simulated.hypervisor, simulated, services: [] };
  }
  const datapathType = config.ovsDatapath === 'netdev' ? 'netdev' : 'system';
  const driver = new OvsDriver({ rundir: config.ovsRundir, datapathType });
  const services = [pnics(new HostDevices(config.netns), datapathType)];
  if (config.hypervisor === 'libvirt')
    services.push((await import('./hypervisor/libvirt/carries.js')).carriesPolicy);
  return { driver, hypervisor: await hypervisorOf(config, disk, logger), simulated: null, services };
}

/** As what is simulated: no host without QEMU or libvirt has to hold this in memory. */
async function hypervisorOf(config: HostAgentConfig, disk: StateDir, log: Logger): Promise<Hypervisor> {
  if (config.hypervisor === 'qemu') {
    const { startQemu } = await import('./hypervisor/qemu/start.js');
    return startQemu(config, disk, log);
  }
  if (config.hypervisor === 'libvirt') {
    const { startLibvirt } = await import('./hypervisor/libvirt/start.js');
    return startLibvirt(config, disk, log);
  }
  return new NoHypervisor();
}
