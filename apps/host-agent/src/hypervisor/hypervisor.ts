import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';

export interface VmStatus {
  readonly owner: string;
  readonly state: 'running' | 'paused' | 'incoming' | 'stopped';
  /** What the guest itself counted, where it can tell. */
  readonly sent?: number;
  readonly received?: number;
  readonly migration?: MigrationId;
}

/** The hypervisor's word on a migration it was asked for. */
export interface MigrationOutcome {
  readonly migration: MigrationId;
  readonly attempt: number;
  readonly outcome: 'started' | 'completed' | 'failed' | 'aborted' | 'unknown';
  readonly reason?: string;
}

/**
 * What the agent needs of a hypervisor. Effects are not exactly-once: `migrate` and `abort` are asked again with the
 * same (migration, attempt) and must look before they act.
 */
export interface Hypervisor {
  readonly kind: 'simulated' | 'qemu' | 'libvirt' | 'none';
  /** Whether it can be asked to migrate. */
  readonly drives: boolean;
  vms(): readonly VmStatus[];
  migrate(order: MigrationOrder, destination: HostName): Promise<void>;
  abort(order: MigrationOrder): Promise<void>;
  /** All orders that stand: how every other one ended is in the log, and what is left of it here may go. */
  standing?(orders: readonly MigrationOrder[]): void;
  watch(listener: (outcome: MigrationOutcome) => void): () => void;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Any hypervisor that plugs interfaces with `iface-id`: nothing is driven, everything is seen on the switch. */
export class NoHypervisor implements Hypervisor {
  readonly kind = 'none' as const;
  readonly drives = false;
  vms(): readonly VmStatus[] {
    return [];
  }
  migrate(): Promise<void> {
    return Promise.reject(new Error('this host has no hypervisor that can be asked to migrate'));
  }
  abort(): Promise<void> {
    return Promise.reject(new Error('this host has no hypervisor that can be asked to abort'));
  }
  watch(): () => void {
    return () => undefined;
  }
  start(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
