import { type HostName, type MigrationId } from '#kernel';
import { type Arrival, type MigrationOrder } from '#contracts';

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
  /** Of `completed`, where it can tell: for how long the guest stood still, ms, as the hypervisor counted it. */
  readonly pauseMs?: number;
  /** Of the order that it is about (`aboutOrder`); absent where nobody ordered it. */
  readonly owner?: string;
  readonly destination?: HostName;
}

/** A guest that the documents say is on its way, whoever moves it: `from` here, or to here. */
export interface MovingGuest {
  readonly owner: string;
  readonly migration: MigrationId;
  readonly from: boolean;
}

/** What the documents say of this host's guests beside orders. */
export interface Traffic {
  /** Guests that are to be let in. */
  readonly arrivals: readonly Arrival[];
  readonly moving: readonly MovingGuest[];
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
  /**
   * All orders that stand, as they are now: one may be `held` no more. How every other one ended is in the log, and
   * what is left of it here may go.
   */
  standing?(orders: readonly MigrationOrder[]): void;
  /** Of a migration that nobody was asked for (it is nobody's order), what is told is told as attempt 0. */
  expects?(traffic: Traffic): void;
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
