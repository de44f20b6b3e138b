import { type Clock, type HostName } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type Hypervisor, type MigrationOutcome, type VmStatus } from '../hypervisor.js';
import { Machines } from './machines.js';
import { Move } from './move.js';
import { moveKey, type Moves } from './moves.js';
import { migrateUri, type QemuSettings } from './settings.js';

interface Parts {
  readonly settings: QemuSettings;
  readonly moves: Moves;
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** How long a monitor may take to answer, ms; absent: 5000. */
  readonly answerMs?: number;
}

/**
 * Plain QEMUs, each with a monitor of its own, started and plugged by whoever runs VMs. The agent moves them: it looks
 * before it acts, and says of an order only what QEMU said. What it can't know is `unknown`.
 */
export class QemuHypervisor implements Hypervisor {
  readonly kind = 'qemu' as const;
  readonly drives = true;
  readonly #machines: Machines;
  readonly #listeners = new Set<(outcome: MigrationOutcome) => void>();
  /** Moves under way, by guest: QEMU makes one at a time. */
  readonly #running = new Map<string, Move>();

  constructor(private readonly parts: Parts) {
    this.#machines = new Machines(parts.settings.monitors, parts.clock, parts.answerMs ?? 5_000, parts.log, {
      migration: (machine, status) => this.#running.get(machine.name)?.heard(status),
      connected: (machine) => this.#running.get(machine.name)?.found(machine),
      lost: (machine, reason) => this.#running.get(machine.name)?.lost(reason),
    });
  }

  async start(): Promise<void> {
    await this.#machines.start();
  }

  vms(): readonly VmStatus[] {
    return this.#machines.all.flatMap((machine) => {
      const { runState, name } = machine;
      if (runState === null) return [];
      const move = this.#running.get(name);
      const migration = move === undefined ? {} : { migration: move.order.migration };
      return [{ owner: name, state: stateOf(runState), ...migration }];
    });
  }

  async migrate(order: MigrationOrder, destination: HostName): Promise<void> {
    const uri = migrateUri(this.parts.settings, order.owner, destination);
    if (uri === null) return this.#say(order, 'failed', 'the guest’s name can’t stand in a migration URI');
    const before = this.#running.get(order.owner);
    if (before !== undefined) {
      if (moveKey(before.order) === moveKey(order)) return before.again();
      return this.#say(
        order,
        'failed',
        `${order.owner} is being moved already, for ${before.order.migration}`,
      );
    }
    const move: Move = new Move(order, uri, {
      ...this.parts,
      tell: (outcome, reason) => this.#say(order, outcome, reason),
      over: () => this.#over(move),
    });
    this.#running.set(order.owner, move);
    await move.begin(await this.#machines.of(order.owner));
  }

  async abort(order: MigrationOrder): Promise<void> {
    const running = this.#running.get(order.owner);
    if (running !== undefined && moveKey(running.order) === moveKey(order)) return running.cancel();
    // Of an earlier run of the agent, or never begun: what QEMU says of it is all there is.
    const move: Move = new Move(order, '', {
      ...this.parts,
      tell: (outcome, reason) => this.#say(order, outcome, reason),
      over: () => this.#over(move),
    });
    this.#running.set(order.owner, move);
    await move.adoptAndCancel(await this.#machines.of(order.owner));
  }

  standing(orders: readonly MigrationOrder[]): void {
    const stand = new Set(orders.map(moveKey));
    for (const move of [...this.#running.values()]) if (!stand.has(moveKey(move.order))) move.forget();
    for (const { key, owner } of this.parts.moves.all) {
      if (!stand.has(key)) void this.#leave(key, owner);
    }
  }

  watch(listener: (outcome: MigrationOutcome) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    for (const move of this.#running.values()) move.forget();
    this.#running.clear();
    this.#machines.close();
    return Promise.resolve();
  }

  /**
   * An order is in the log with how it ended. A QEMU whose guest is gone is of no more use, and to let it run again
   * would make two of one guest: it is ended, as libvirt does. Looked at anew, since somebody may have let it run.
   */
  async #leave(key: string, owner: string): Promise<void> {
    const { moves, log } = this.parts;
    const machine = await this.#machines.of(owner);
    try {
      await moves.drop(key);
    } catch (cause) {
      return log.warn({ order: key, reason: String(cause) }, 'that a move is over could not be written');
    }
    if (machine === null) return;
    const [look, state] = [await machine.lookAtMigration(), await machine.lookAtRunState()];
    if (!look.ok || !state.ok || look.value.status !== 'completed' || state.value !== 'postmigrate') return;
    log.info({ owner, order: key }, 'the guest has moved away: its QEMU here is ended');
    const ended = await machine.execute('quit');
    // QEMU may go before it answers.
    if (!ended.ok && ended.error.code === 'refused')
      log.warn(
        { owner, reason: ended.error.message },
        'the QEMU of a guest that moved away could not be ended',
      );
  }

  #over(move: Move): void {
    const { owner } = move.order;
    if (this.#running.get(owner) === move) this.#running.delete(owner);
  }

  #say(order: MigrationOrder, outcome: MigrationOutcome['outcome'], reason?: string): void {
    const { migration, attempt } = order;
    const why = reason === undefined ? {} : { reason };
    this.parts.log.info({ migration, attempt, owner: order.owner, outcome, ...why }, 'QEMU moves a guest');
    for (const listener of this.#listeners) listener({ migration, attempt, outcome, ...why });
  }
}

/** A run state of QEMU, as far as it matters here. */
function stateOf(runState: string): VmStatus['state'] {
  if (runState === 'running') return 'running';
  if (runState === 'inmigrate') return 'incoming';
  const gone = ['postmigrate', 'shutdown', 'internal-error', 'guest-panicked'];
  return gone.includes(runState) ? 'stopped' : 'paused';
}
