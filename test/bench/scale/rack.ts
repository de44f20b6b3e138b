import { type HostName } from '#kernel';
import { bridgeName } from '#compiler';
import { type MigrationOrder } from '#contracts';
import { type NewInterface, type SimulatedSwitch } from '#simulated-switch';
import { announcement } from '../../../apps/host-agent/src/hypervisor/guest.js';
import { Holds } from '../../../apps/host-agent/src/hypervisor/holds.js';
import { moveKey, wordOn } from '../../../apps/host-agent/src/hypervisor/moves.js';
import {
  type Hypervisor,
  type MigrationOutcome,
  type VmStatus,
} from '../../../apps/host-agent/src/hypervisor/hypervisor.js';
import { pause } from '../support/until.js';
import { DEVICE, ownerOf, SWITCH, type HostShape } from './plan.js';

/** How long copying a guest's memory takes at least, ms. Its destination may take longer to be ready. */
const COPY_MS = 500;
/** Frames that a guest sends on each side of its move; its announcement comes on top. */
const FRAMES = 5;

interface RackGuest {
  readonly owner: string;
  readonly tap: NewInterface;
  at: RackHypervisor;
  /** Frames that its switch was given. */
  sent: number;
}

/**
 * Hosts on one physical segment, and the guests that move between them: what the fabric and the hypervisors of real
 * hosts do, in one process and without sockets, since thousands of hosts share this machine.
 */
export class Rack {
  readonly #hosts = new Map<string, RackHypervisor>();
  readonly guests = new Map<string, RackGuest>();

  join(host: HostName, target: SimulatedSwitch): RackHypervisor {
    const it = new RackHypervisor(this, host, target);
    this.#hosts.set(host, it);
    target.onTransmit((device, frame) => {
      if (device === DEVICE) setImmediate(() => this.#flood(host, frame));
    });
    return it;
  }

  at(host: string): RackHypervisor | undefined {
    return this.#hosts.get(host);
  }

  leave(host: string): void {
    this.#hosts.delete(host);
  }

  #flood(from: string, frame: Uint8Array): void {
    for (const [host, { target }] of this.#hosts) if (host !== from) target.inject(DEVICE, frame);
  }
}

/** A hypervisor whose guests move in the order of a real one, see `SimulatedHypervisor`, at once and without memory. */
export class RackHypervisor implements Hypervisor {
  readonly kind = 'simulated' as const;
  readonly drives = true;
  readonly #listeners = new Set<(outcome: MigrationOutcome) => void>();
  readonly #holds = new Holds();
  /** What became of each attempt: an order may come again. */
  readonly #orders = new Map<string, MigrationOutcome>();

  constructor(
    private readonly rack: Rack,
    readonly host: HostName,
    readonly target: SimulatedSwitch,
  ) {}

  /** Plugs a guest that is new. */
  boot({ number, groups, switch: onSwitch }: HostShape, i: number): void {
    const owner = ownerOf(number, i);
    const tap = tapOf(number, i, groups[i] ?? '', onSwitch);
    this.target.addInterface(tap);
    this.rack.guests.set(owner, { owner, tap, at: this, sent: 0 });
  }

  vms(): readonly VmStatus[] {
    const here = [...this.rack.guests.values()].filter((guest) => guest.at === this);
    return here.map(({ owner, sent }): VmStatus => ({ owner, state: 'running', sent }));
  }

  async migrate(order: MigrationOrder, destination: HostName): Promise<void> {
    const known = this.#orders.get(moveKey(order));
    if (known !== undefined) return this.#tell(known);
    const guest = this.rack.guests.get(order.owner);
    const to = this.rack.at(destination);
    if (guest?.at !== this || to === undefined)
      return this.#settle(order, 'failed', `${order.owner} can’t go from ${this.host} to ${destination}`);
    const ready = this.#holds.ready(order);
    this.#settle(order, 'started');
    to.target.addInterface(guest.tap);
    for (let i = 0; i < FRAMES; i++) send(guest);
    try {
      await Promise.all([pause(COPY_MS), ready]);
    } catch (cause) {
      to.target.removeInterface(guest.tap.name);
      return this.#settle(order, 'aborted', String(cause));
    }
    guest.at = to;
    guest.sent += 1;
    to.target.inject(guest.tap.name, announcement(guest.tap.mac ?? ''));
    for (let i = 0; i < FRAMES; i++) send(guest);
    this.target.removeInterface(guest.tap.name);
    this.#settle(order, 'completed');
  }

  /** What is held was called off already, see `standing`; what is not is as good as over. */
  abort(order: MigrationOrder): Promise<void> {
    const known = this.#orders.get(moveKey(order));
    if (known !== undefined) this.#tell(known);
    else this.#settle(order, 'aborted', 'was not running');
    return Promise.resolve();
  }

  standing(orders: readonly MigrationOrder[]): void {
    this.#holds.standing(orders);
  }

  watch(listener: (outcome: MigrationOutcome) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #settle(order: MigrationOrder, outcome: MigrationOutcome['outcome'], reason?: string): void {
    const said = wordOn(order, outcome, reason);
    this.#orders.set(moveKey(order), said);
    this.#tell(said);
  }

  #tell(outcome: MigrationOutcome): void {
    for (const listener of this.#listeners) listener(outcome);
  }
}

/** To a MAC that nobody has: out by the uplink, and dropped by every other host. */
const NOBODY = [0x02, 0xff, 0xff, 0xff, 0xff, 0xfe];

function send(guest: RackGuest): void {
  const frame = announcement(guest.tap.mac ?? '');
  frame.set(NOBODY);
  guest.sent += 1;
  guest.at.target.inject(guest.tap.name, frame);
}

/** The tap of one guest, as its hypervisor would plug it. */
export function tapOf(number: number, i: number, group: string, onSwitch = SWITCH): NewInterface {
  const mac = `02:00:${[number >> 8, number & 255, i >> 8, i & 255].map(hex).join(':')}`;
  const owner = ownerOf(number, i);
  return {
    bridge: bridgeName(onSwitch),
    name: `t${number}-${i}`,
    mac,
    externalIds: {
      'iface-id': owner,
      'attached-mac': mac,
      'vm-id': owner,
      'port-profile': group,
      'iface-status': 'active',
    },
  };
}

const hex = (n: number): string => n.toString(16).padStart(2, '0');
