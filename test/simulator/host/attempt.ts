import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOutcome } from '../../../apps/host-agent/src/hypervisor/hypervisor.js';

/** One migration that a hypervisor was asked for, and its last word on it. */
export interface Attempt {
  readonly migration: MigrationId;
  readonly attempt: number;
  readonly owner: string;
  readonly destination: HostName;
  outcome: MigrationOutcome['outcome'];
  reason?: string;
  /** Asked to stop. */
  aborted: boolean;
  /** The destination is not ready: the guest must not be switched. */
  held: boolean;
  /** What goes on when it is. */
  go?: () => void;
  /** There is more to it than what was last said. */
  untold: boolean;
  /** The guest is gone, and so is what it left behind. */
  left?: boolean;
}
