import { type HostName } from '#kernel';
import { type MigrationOrder } from '#contracts';
import {
  type Hypervisor,
  type MigrationOutcome,
  type VmStatus,
} from '../../../apps/host-agent/src/hypervisor/hypervisor.js';
import { moveKey, wordOn } from '../../../apps/host-agent/src/hypervisor/moves.js';
import { type Attempt } from './attempt.js';
import { type Process } from '../engine/process.js';
import { type Machine } from './machine.js';
import { type Mover } from './mover.js';

/** How likely a word comes late, twice, or never: a monitor that was too busy, a connection that broke. */
export interface Words {
  late: number;
  twice: number;
  lost: number;
}

const LATE_MS = 2_000;

/** Planted faults. */
export interface HypervisorBugs {
  /** What was asked for before is asked for once more. */
  readonly asksWithoutLooking?: boolean;
  /** Guests are switched whether the destination is ready or not. */
  readonly doesNotWait?: boolean;
}

/** An agent's connection to the hypervisor of its host. */
export class MachineHypervisor implements Hypervisor {
  readonly kind = 'simulated' as const;
  readonly drives = true;
  private readonly listeners = new Set<(outcome: MigrationOutcome) => void>();

  constructor(
    private readonly machine: Machine,
    private readonly mover: Mover,
    private readonly process: Process,
    private readonly words: Words,
    private readonly bugs: HypervisorBugs,
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
    const known =
      this.bugs.asksWithoutLooking === true ? undefined : this.machine.attempts.get(moveKey(order));
    if (known !== undefined) return this.recall(known);
    const attempt: Attempt = {
      ...order,
      outcome: 'started',
      aborted: false,
      untold: false,
      held: order.held === true && this.bugs.doesNotWait !== true,
    };
    this.machine.attempts.set(moveKey(order), attempt);
    if (this.machine.monitored) return this.mover.migrate(order.owner, this.machine, destination, attempt);
    Object.assign(attempt, { outcome: 'failed', reason: 'its monitor is not there' });
    this.tell(attempt);
  }

  async abort(order: MigrationOrder): Promise<void> {
    await this.process.pause(this.process.random.between(0.1, 3), 'hypervisor: abort');
    const known = this.machine.attempts.get(moveKey(order));
    if (known !== undefined) {
      known.aborted = true;
      if (known.outcome !== 'started') this.recall(known);
      return;
    }
    const never: Attempt = {
      ...order,
      outcome: 'aborted',
      reason: 'was not running',
      aborted: true,
      untold: false,
      held: false,
    };
    this.machine.attempts.set(moveKey(order), never);
    this.tell(never);
  }

  /**
   * What is no longer held goes on. How every order ended that is not among them is in the log: the QEMU that its guest
   * left is ended.
   */
  standing(orders: readonly MigrationOrder[]): void {
    const stand = new Set(orders.map(moveKey));
    for (const order of orders) {
      const attempt = this.machine.attempts.get(moveKey(order));
      if (attempt?.held !== true || order.held === true) continue;
      attempt.held = false;
      attempt.go?.();
    }
    for (const [key, attempt] of this.machine.attempts) {
      if (stand.has(key) || attempt.outcome !== 'completed' || attempt.left === true) continue;
      attempt.left = true;
      this.mover.quit(attempt, this.machine);
    }
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

  /** What was said before, if it can be asked for. */
  private recall(known: Attempt): void {
    if (this.machine.monitored) return this.tell(known);
    known.untold = true;
    this.tell({ ...known, outcome: 'unknown', reason: 'its monitor is not there' });
  }

  private tell(attempt: Attempt): void {
    const { migration, outcome, reason } = attempt;
    const said = wordOn(attempt, outcome, reason);
    const { scheduler, random } = this.process;
    const { late, twice, lost } = this.words;
    if (random.chance(lost)) return scheduler.note(`   ! ${outcome} of ${migration} is not heard`);
    const times = random.chance(twice) ? 2 : 1;
    for (let i = 0; i < times; i += 1) {
      const ms = random.between(0.1, i > 0 || random.chance(late) ? LATE_MS : 3);
      scheduler.in(ms, this.process, `hypervisor says ${outcome}`, () => {
        for (const listener of this.listeners) listener(said);
      });
    }
  }
}
