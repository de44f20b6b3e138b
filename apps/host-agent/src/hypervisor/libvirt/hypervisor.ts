import { type Clock, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type Hypervisor, type MigrationOutcome, type Traffic, type VmStatus } from '../hypervisor.js';
import { moveKey, wordOn, type Moves } from '../moves.js';
import { Domains } from './domains.js';
import { isTheirs, Move } from './move.js';
import { hasLeft, isBetween, isRunning, isShutOff, isWhole } from './place.js';
import { type DomainState } from './said.js';
import { type LibvirtSettings } from './settings.js';
import { type Virsh } from './virsh.js';
import { type Presence, Witness } from './witness.js';

interface Parts {
  readonly settings: LibvirtSettings;
  readonly virsh: Virsh;
  readonly moves: Moves;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/**
 * The host's libvirt: it runs and plugs the guests, and moves them when it is asked to. The agent looks before it acts,
 * and says of an order only what libvirt said. What it can't know is `unknown`.
 */
export class LibvirtHypervisor implements Hypervisor {
  readonly kind = 'libvirt' as const;
  readonly drives = true;
  readonly #domains: Domains;
  readonly #listeners = new Set<(outcome: MigrationOutcome) => void>();
  readonly #witness: Witness;
  #ordered: ReadonlySet<MigrationId> = new Set();
  /** Moves under way, by owner: libvirt makes one at a time of a guest. */
  readonly #running = new Map<string, Move>();

  constructor(private readonly parts: Parts) {
    this.#witness = new Witness({
      presence: (owner) => this.presence(owner),
      isOrdered: (migration) => this.#ordered.has(migration),
      isTheirs: ({ owner, destination, ...of }) =>
        owner !== undefined &&
        destination !== undefined &&
        isTheirs(parts.moves, { ...of, owner, destination }),
      tell: (outcome) => this.#tell(outcome),
    });
    this.#domains = new Domains(parts, {
      heard: (uuid, event, detail) => {
        for (const move of [...this.#running.values()]) if (move.uuid === uuid) move.heard(event, detail);
        if (event === 'lifecycle') this.#witness.look();
      },
      paused: (owners, ms) => this.#witness.paused(owners, ms),
      looked: () => {
        for (const move of [...this.#running.values()]) move.looked();
        this.#witness.look();
      },
    });
  }

  /** Does not wait for libvirt: it may come later, and go. */
  start(): Promise<void> {
    this.#domains.start();
    return Promise.resolve();
  }

  vms(): readonly VmStatus[] {
    return this.#domains.all.flatMap(({ uuid, state }) => {
      if (state === null) return [];
      const move = [...this.#running.values()].find((m) => m.uuid === uuid);
      const migration = move === undefined ? {} : { migration: move.order.migration };
      return [{ owner: uuid, state: stateOf(state, move !== undefined), ...migration }];
    });
  }

  /** By what was heard and seen last. */
  presence(owner: string): Presence {
    const domain = this.#domains.all.find(({ uuid, name }) => uuid === owner || name === owner);
    const state = domain?.state ?? null;
    if (this.#domains.hasDeparted(domain?.uuid ?? owner) || (state !== null && hasLeft(state))) return 'left';
    return state !== null && isWhole(state) ? 'runs' : 'unknown';
  }

  async migrate(order: MigrationOrder): Promise<void> {
    const before = this.#running.get(order.owner);
    if (before === undefined) return this.#begin(order).begin();
    if (moveKey(before.order) === moveKey(order)) return before.again();
    this.#say(order, 'failed', `${order.owner} is being moved already, for ${before.order.migration}`);
  }

  async abort(order: MigrationOrder): Promise<void> {
    const running = this.#running.get(order.owner);
    if (running !== undefined && moveKey(running.order) === moveKey(order)) return running.cancel();
    // Of an earlier run of the agent, or never begun: what libvirt says of it is all there is.
    await this.#begin(order).adoptAndCancel();
  }

  standing(orders: readonly MigrationOrder[]): void {
    this.#ordered = new Set(orders.map((order) => order.migration));
    this.#witness.sent(orders);
    const stand = new Map(orders.map((order) => [moveKey(order), order]));
    for (const move of [...this.#running.values()]) {
      const order = stand.get(moveKey(move.order));
      if (order === undefined) move.forget();
      else if (order.held !== true) move.release();
    }
    const remembered = this.parts.moves.keysOf(orders);
    for (const { key } of this.parts.moves.all) if (!remembered.has(key)) void this.#drop(key);
  }

  expects(traffic: Traffic): void {
    this.#witness.follow(traffic);
  }

  watch(listener: (outcome: MigrationOutcome) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    for (const move of [...this.#running.values()]) move.forget();
    this.#domains.close();
    this.parts.virsh.close();
    return Promise.resolve();
  }

  #begin(order: MigrationOrder): Move {
    const move: Move = new Move(order, {
      ...this.parts,
      domains: this.#domains,
      tell: (outcome, reason) => this.#say(order, outcome, reason),
      over: () => {
        if (this.#running.get(order.owner) === move) this.#running.delete(order.owner);
      },
    });
    this.#running.set(order.owner, move);
    return move;
  }

  async #drop(key: string): Promise<void> {
    try {
      await this.parts.moves.drop(key);
    } catch (cause) {
      this.parts.log.warn({ order: key, reason: String(cause) }, 'that a move is over could not be written');
    }
  }

  #say(order: MigrationOrder, outcome: MigrationOutcome['outcome'], reason?: string): void {
    const said = wordOn(order, outcome, reason);
    this.parts.log.info(said, 'libvirt moves a guest');
    this.#tell(said);
  }

  #tell(outcome: MigrationOutcome): void {
    for (const listener of this.#listeners) listener(outcome);
  }
}

function stateOf(state: DomainState, isMoving: boolean): VmStatus['state'] {
  if (isRunning(state)) return 'running';
  if (isShutOff(state)) return 'stopped';
  return isBetween(state) && !isMoving ? 'incoming' : 'paused';
}
