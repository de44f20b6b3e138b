import { type Clock, type HostName } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type Hypervisor, type MigrationOutcome, type Traffic, type VmStatus } from '../hypervisor.js';
import { Arrivals } from './arrivals.js';
import { Leftovers } from './leftovers.js';
import { Machines } from './machines.js';
import { Move } from './move.js';
import { moveKey, wordOn, type Moves } from '../moves.js';
import { migrateUri, type QemuSettings } from './settings.js';
import { Witness } from './witness.js';

interface Parts {
  readonly host: HostName;
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
  readonly #leftovers: Leftovers;
  readonly #arrivals: Arrivals;
  readonly #witness: Witness;
  /** Migrations by an order, to this host or to the one that guests come here from. */
  #ordered: { readonly from: ReadonlySet<string>; readonly to: ReadonlySet<string> } = {
    from: new Set(),
    to: new Set(),
  };

  constructor(private readonly parts: Parts) {
    const { settings, clock, answerMs = 5_000, log, moves } = parts;
    this.#machines = new Machines(settings.monitors, clock, answerMs, log, {
      migration: (machine, status) => {
        this.#running.get(machine.name)?.heard(status);
        this.#leftovers.look();
        this.#witness.heard(machine, status);
      },
      ran: (machine) => this.#witness.look(machine),
      connected: (machine) => {
        this.#running.get(machine.name)?.found(machine);
        this.#leftovers.look();
        this.#arrivals.connected(machine);
        this.#witness.look(machine);
      },
      lost: (machine, reason) => this.#running.get(machine.name)?.lost(reason),
    });
    this.#leftovers = new Leftovers({ moves, log, machineOf: (owner) => this.#machines.of(owner) });
    const machineOf = (owner: string) => this.#machines.known(owner);
    this.#arrivals = new Arrivals({ ...parts, machineOf });
    this.#witness = new Witness({
      machineOf,
      isOurs: ({ migration: m }) => moves.knows(m) || this.#ordered.from.has(m) || this.#ordered.to.has(m),
      tell: (outcome) => this.#say(outcome, 'QEMU moves a guest by somebody else’s word'),
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
    const before = this.#running.get(order.owner);
    if (before !== undefined) {
      if (moveKey(before.order) === moveKey(order)) return before.again();
      const reason = `${order.owner} is being moved already, for ${before.order.migration}`;
      return this.#tell(order, 'failed', reason);
    }
    const uri = migrateUri(this.parts.settings, order, destination);
    if (uri === null) return this.#tell(order, 'failed', 'the guest’s name can’t stand in a migration URI');
    await this.#move(order, uri).begin(await this.#machines.of(order.owner));
  }

  async abort(order: MigrationOrder): Promise<void> {
    const running = this.#running.get(order.owner);
    if (running !== undefined && moveKey(running.order) === moveKey(order)) return running.cancel();
    if (running !== undefined) return this.#tell(order, 'aborted', 'it was not under way');
    // Of an earlier run of the agent, or never begun: what QEMU says of it is all there is.
    await this.#move(order, '').beginAborting(await this.#machines.of(order.owner));
  }

  standing(orders: readonly MigrationOrder[]): void {
    this.#ordered = { ...this.#ordered, from: new Set(orders.map((o) => o.migration)) };
    const stand = new Map(orders.map((order) => [moveKey(order), order]));
    for (const move of [...this.#running.values()]) {
      const order = stand.get(moveKey(move.order));
      if (order === undefined) move.forget();
      else if (order.action === 'start') move.follow(order);
    }
    this.#leftovers.standing(this.parts.moves.keysOf(orders));
  }

  expects({ arrivals, moving }: Traffic): void {
    this.#ordered = { ...this.#ordered, to: new Set(arrivals.map((a) => a.migration)) };
    this.#arrivals.follow(arrivals);
    this.#witness.follow(moving);
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

  #move(order: MigrationOrder, uri: string): Move {
    const move: Move = new Move(order, uri, {
      ...this.parts,
      tell: (outcome, reason, pauseMs) => this.#tell(order, outcome, reason, pauseMs),
      over: () => this.#over(move),
    });
    this.#running.set(order.owner, move);
    return move;
  }

  #over(move: Move): void {
    const { owner } = move.order;
    if (this.#running.get(owner) === move) this.#running.delete(owner);
  }

  #tell(
    order: MigrationOrder,
    outcome: MigrationOutcome['outcome'],
    reason?: string,
    pauseMs?: number,
  ): void {
    const paused = pauseMs === undefined ? {} : { pauseMs };
    this.#say({ ...wordOn(order, outcome, reason), ...paused }, `QEMU moves ${order.owner}`);
  }

  #say(outcome: MigrationOutcome, what: string): void {
    this.parts.log.info(outcome, what);
    for (const listener of this.#listeners) listener(outcome);
  }
}

/** A run state of QEMU, as far as it matters here. */
function stateOf(runState: string): VmStatus['state'] {
  if (runState === 'running') return 'running';
  if (runState === 'inmigrate') return 'incoming';
  const gone = ['postmigrate', 'shutdown', 'internal-error', 'guest-panicked'];
  return gone.includes(runState) ? 'stopped' : 'paused';
}
