import { type Logger } from 'pino';
import { systemClock, unwrap } from '#kernel';
import { type HostAgentConfig } from '../../config.js';
import { type StateDir } from '../../state/state-dir.js';
import { movesOnDisk } from '../moves.js';
import { LibvirtHypervisor } from './hypervisor.js';
import { libvirtSettings } from './settings.js';
import { VirshProgram } from './virsh.js';

/** The libvirt of this host, with what an earlier run asked of it. */
export async function startLibvirt(
  config: HostAgentConfig,
  disk: StateDir,
  log: Logger,
): Promise<LibvirtHypervisor> {
  const settings = unwrap(libvirtSettings(config));
  const moves = await movesOnDisk(disk);
  const virsh = new VirshProgram(settings.uri);
  return new LibvirtHypervisor({ settings, virsh, moves, clock: systemClock, random: Math.random, log });
}
