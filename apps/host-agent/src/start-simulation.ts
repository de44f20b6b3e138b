import { systemClock, unwrap } from '#kernel';
import { type HostAgentConfig } from './config.js';
import { simulatedHost, type SimulatedHost } from './hypervisor/simulated-host.js';
import { loadSimulation, parseSavedGuests } from './simulation.js';
import { type StateDir } from './state/state-dir.js';

/** A host as its simulation file says, with the guests that it had when it ended. */
export async function startSimulation(config: HostAgentConfig, disk: StateDir): Promise<SimulatedHost> {
  const simulation =
    config.simulation === undefined
      ? { uplinks: [], fabric: null, migration: null, guests: [] }
      : unwrap(await loadSimulation(config.simulation));
  const saved = unwrap(await disk.read('guests'));
  const guests = saved === undefined ? null : unwrap(parseSavedGuests(saved));
  return simulatedHost(simulation, guests, systemClock);
}
