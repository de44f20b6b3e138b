import { createServer, type Server } from 'node:net';
import { type HostName } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { BLANK_MEMORY, Guest, type GuestMemory, type GuestSpec } from './guest.js';
import { Holds } from './holds.js';
import { type Hypervisor, type MigrationOutcome, type VmStatus } from './hypervisor.js';
import { moveKey, wordOn } from './moves.js';
import { sendGuest, receiveGuest, type IncomingGuest } from './transfer.js';

/** Where guests are plugged: the simulated switch of the host. */
export interface PlugPoint {
  /** Plugs a tap; `onFrame` gets what the switch hands to the guest. Waits until the switch is there. */
  plug(spec: GuestSpec, onFrame: () => void): Promise<(frame: Uint8Array) => void>;
  unplug(spec: GuestSpec): void;
}

/**
 * A hypervisor of simulated guests, with the order of events of a real one: the destination plugs the tap first,
 * memory is copied, the source's guest stops when the destination is ready, the state goes over, the destination's guest starts and announces
 * itself, and only then the source unplugs.
 */
export class SimulatedHypervisor implements Hypervisor {
  readonly kind = 'simulated' as const;
  readonly drives = true;
  readonly #guests = new Map<string, Guest>();
  readonly #incoming = new Map<string, GuestSpec>();
  /** Guests that are here, and whose switch is not yet. */
  readonly #booting = new Map<string, Promise<void>>();
  readonly #listeners = new Set<(outcome: MigrationOutcome) => void>();
  readonly #running = new Map<string, { readonly abort: AbortController; readonly order: MigrationOrder }>();
  readonly #known = new Map<string, MigrationOutcome>();
  readonly #holds = new Holds();
  #server: Server | null = null;

  constructor(
    private readonly listen: { readonly host: string; readonly port: number } | null,
    private readonly addressOf: (
      host: HostName,
    ) => { readonly host: string; readonly port: number } | undefined,
    private readonly plugs: PlugPoint,
    private readonly initial: readonly GuestSpec[],
    /** What an earlier run of this hypervisor saved: guests and their memory. */
    private readonly restored: readonly { readonly spec: GuestSpec; readonly memory: GuestMemory }[] | null,
    private readonly copyMs: number,
  ) {}

  async start(): Promise<void> {
    const guests = this.restored ?? this.initial.map((spec) => ({ spec, memory: BLANK_MEMORY }));
    for (const { spec, memory } of guests) {
      const booted = this.#boot(spec, memory).finally(() => this.#booting.delete(spec.owner));
      this.#booting.set(spec.owner, booted);
    }
    const at = this.listen;
    if (at === null) return;
    const server = createServer((socket) => void receiveGuest(socket, this.#arrivals()));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at.port, at.host, () => resolve());
    });
    this.#server = server;
  }

  vms(): readonly VmStatus[] {
    const here = [...this.#guests.values()].map((g): VmStatus => {
      const moving = this.#running.get(g.spec.owner);
      return {
        owner: g.spec.owner,
        state: g.running ? 'running' : 'paused',
        sent: g.memory.sent,
        received: g.memory.received,
        ...(moving === undefined ? {} : { migration: moving.order.migration }),
      };
    });
    return [
      ...here,
      ...[...this.#incoming.values()].map((s): VmStatus => ({ owner: s.owner, state: 'incoming' })),
    ];
  }

  /** Guests and their memory, for a restart of the whole simulated host. */
  save(): readonly { readonly spec: GuestSpec; readonly memory: GuestMemory }[] {
    return [...this.#guests.values()].map((g) => ({ spec: g.spec, memory: g.memory }));
  }

  async migrate(order: MigrationOrder, destination: HostName): Promise<void> {
    const before = this.#known.get(moveKey(order));
    if (before !== undefined) return this.#tell(before);
    const ready = this.#holds.ready(order);
    await this.#booting.get(order.owner);
    const running = this.#running.get(order.owner)?.order;
    if (running !== undefined) {
      if (moveKey(running) === moveKey(order)) return;
      return this.#settle(
        order,
        'failed',
        `${order.owner} is being moved already, to ${running.destination}`,
      );
    }
    const guest = this.#guests.get(order.owner);
    const to = this.addressOf(destination);
    if (guest === undefined) return this.#settle(order, this.#absent, `no guest ${order.owner} runs here`);
    if (to === undefined) return this.#settle(order, 'failed', `no address is known for host ${destination}`);
    const abort = new AbortController();
    this.#running.set(order.owner, { abort, order });
    this.#tell(wordOn(order, 'started'));
    const result = await sendGuest(to, guest.spec, this.copyMs, abort.signal, ready, () => {
      guest.pause();
      return guest.memory;
    });
    this.#running.delete(order.owner);
    if (result.kind === 'moved') {
      this.#guests.delete(order.owner);
      this.plugs.unplug(guest.spec);
      return this.#settle(order, 'completed');
    }
    if (result.kind === 'unknown') return this.#settle(order, 'unknown', result.reason);
    guest.resume(false);
    return this.#settle(order, abort.signal.aborted ? 'aborted' : 'failed', result.reason);
  }

  async abort(order: MigrationOrder): Promise<void> {
    await this.#booting.get(order.owner);
    const running = this.#running.get(order.owner);
    if (running !== undefined && moveKey(running.order) === moveKey(order)) running.abort.abort();
    else {
      const outcome = this.#guests.has(order.owner) ? 'aborted' : this.#absent;
      const said = this.#known.get(moveKey(order));
      this.#tell(said ?? wordOn(order, outcome, 'was not running'));
    }
  }

  standing(orders: readonly MigrationOrder[]): void {
    this.#holds.standing(orders);
  }

  /**
   * What is known of a move whose guest is not here: an earlier run may have sent it away and have died before it said
   * so. To say "failed" then would call its ports back from where it runs.
   */
  get #absent(): 'failed' | 'unknown' {
    return this.restored === null ? 'failed' : 'unknown';
  }

  watch(listener: (outcome: MigrationOutcome) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    for (const g of this.#guests.values()) g.pause();
    for (const r of this.#running.values()) r.abort.abort();
    const server = this.#server;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #boot(spec: GuestSpec, memory: GuestMemory): Promise<void> {
    const guest = await this.#plug(spec, memory);
    guest.resume(false);
  }

  async #plug(spec: GuestSpec, memory: GuestMemory): Promise<Guest> {
    const transmit = await this.plugs.plug(spec, () => this.#guests.get(spec.owner)?.receive());
    const guest = new Guest(spec, memory, transmit);
    this.#guests.set(spec.owner, guest);
    return guest;
  }

  #arrivals(): IncomingGuest {
    let transmit: (frame: Uint8Array) => void = () => undefined;
    return {
      prepare: async (spec) => {
        if (this.#guests.has(spec.owner) || this.#incoming.has(spec.owner))
          throw new Error(`${spec.owner} is here already`);
        this.#incoming.set(spec.owner, spec);
        transmit = await this.plugs.plug(spec, () => this.#guests.get(spec.owner)?.receive());
      },
      begin: (spec, memory) => {
        this.#incoming.delete(spec.owner);
        const guest = new Guest(spec, memory, transmit);
        this.#guests.set(spec.owner, guest);
        guest.resume(true);
      },
      discard: (spec) => {
        if (this.#incoming.delete(spec.owner)) this.plugs.unplug(spec);
      },
    };
  }

  #settle(order: MigrationOrder, outcome: MigrationOutcome['outcome'], reason?: string): void {
    const said = wordOn(order, outcome, reason);
    this.#known.set(moveKey(order), said);
    this.#tell(said);
  }

  #tell(outcome: MigrationOutcome): void {
    for (const listener of this.#listeners) listener(outcome);
  }
}
