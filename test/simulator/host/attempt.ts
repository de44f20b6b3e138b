import { type MigrationId } from '#kernel';
import { type MigrationOutcome } from '../../../apps/host-agent/src/hypervisor/hypervisor.js';

/** One migration that a hypervisor was asked for, and its last word on it. */
export interface Attempt {
  readonly migration: MigrationId;
  readonly attempt: number;
  readonly owner: string;
  outcome: MigrationOutcome['outcome'];
  reason?: string;
  /** Asked to stop. */
  aborted: boolean;
}
