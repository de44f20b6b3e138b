import { type Logger } from 'pino';
import { systemClock, unwrap, type HostName } from '#kernel';
import { type HostAgentConfig } from '../../config.js';
import { type StateDir } from '../../state/state-dir.js';
import { QemuHypervisor } from './hypervisor.js';
import { movesOnDisk } from '../moves.js';
import { qemuSettings } from './settings.js';

/** The QEMUs of this host, with what an earlier run asked of them. */
export async function startQemu(
  config: HostAgentConfig,
  disk: StateDir,
  log: Logger,
): Promise<QemuHypervisor> {
  const settings = unwrap(qemuSettings(config));
  const moves = await movesOnDisk(disk);
  return new QemuHypervisor({ host: config.host as HostName, settings, moves, clock: systemClock, log });
}
