import { type HostName } from '#kernel';
import { type MigrationOrder } from '#contracts';
import {
  type Hypervisor,
  type MigrationOutcome,
  type VmStatus,
} from '../../../apps/host-agent/src/hypervisor/hypervisor.js';
import { type Attempt } from './attempt.js';
import { type Process } from '../engine/process.js';
import { type Machine } from './machine.js';
import { type Mover } from './mover.js';

/** An agent's connection to the hypervisor of its host. */
export class MachineHypervisor implements Hypervisor {
  readonly kind = 'simulated' as const;
  readonly drives = true;
  private readonly listeners = new Set<(outcome: MigrationOutcome) => void>();

  constructor(
    private readonly machine: Machine,
    private readonly mover: Mover,
    private readonly process: Process,
  ) {
    const watcher = (attempt: Attempt): void => this.tell(attempt);
    machine.watchers.add(watcher);
    process.onEnd(() => machine.watchers.delete(watcher));
  }

  vms(): readonly VmStatus[] {
    return [];
  }

  async migrate(order: MigrationOrder, destination: HostName): Promise<void> {
    await this.process.pause(this.process.random.between(0.1, 3), 'hypervisor: migrate');
    const key = `${order.migration}/${order.attempt}`;
    const known = this.machine.attempts.get(key);
    if (known !== undefined) return this.tell(known);
    const attempt: Attempt = { ...order, outcome: 'started', aborted: false };
    this.machine.attempts.set(key, attempt);
    this.mover.migrate(order.owner, this.machine, destination, attempt);
  }

  async abort(order: MigrationOrder): Promise<void> {
    await this.process.pause(this.process.random.between(0.1, 3), 'hypervisor: abort');
    const key = `${order.migration}/${order.attempt}`;
    const known = this.machine.attempts.get(key);
    if (known !== undefined) {
      known.aborted = true;
      if (known.outcome !== 'started') this.tell(known);
      return;
    }
    const never: Attempt = { ...order, outcome: 'aborted', reason: 'was not running', aborted: true };
    this.machine.attempts.set(key, never);
    this.tell(never);
  }

  watch(listener: (outcome: MigrationOutcome) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private tell({ migration, attempt, outcome, reason }: Attempt): void {
    const said = { migration, attempt, outcome, ...(reason === undefined ? {} : { reason }) };
    const { scheduler, random } = this.process;
    scheduler.in(random.between(0.1, 3), this.process, `hypervisor says ${outcome}`, () => {
      for (const listener of this.listeners) listener(said);
    });
  }
}
