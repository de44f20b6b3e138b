import { bridgeName } from '#compiler';
import { SimulatedSwitch } from '#simulated-switch';
import { type Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { Disk } from './disk.js';
import { type Guest } from './guest.js';
import { type Attempt } from './attempt.js';

export const UPLINK = 'eth0';
/** Meters of a binding: of every sixteen ids the first three count what comes in. */
const METERS = 16;
const COUNTED_IN = 3;

/** What a host is apart from its agent: the switch, the taps, the hypervisor, the disk. Outlives every agent. */
export class Machine {
  switch!: SimulatedSwitch;
  readonly disk = new Disk();
  readonly drivers = new Set<{ switchRestarted(): void; failNext(): void }>();
  /** Taps that stand here, by name. */
  readonly taps = new Map<string, Guest>();
  /** Guests that ever had a tap on this switch. */
  readonly known = new Set<Guest>();
  /** What the hypervisor knows of migrations that it was asked for. */
  readonly attempts = new Map<string, Attempt>();
  readonly watchers = new Set<(attempt: Attempt) => void>();
  boot: string;
  /** Its agent once began with an empty disk: what it had counted it may never tell. */
  forgot = false;
  /** Frames leave by the uplink. */
  onWire: (from: Machine, frame: Uint8Array) => void = () => undefined;
  /** A frame was counted on its way to a tap that is gone: the flows lag behind the unplugging. */
  onMissed: (guest: Guest) => void = () => undefined;
  /** Port numbers that taps had on this switch. */
  private readonly numbers = new Map<number, Guest>();
  private readonly watched = new WeakSet<object>();
  /** A frame was handed to a tap. */
  onHanded: (at: Machine, guest: Guest, frame: Uint8Array) => void = () => undefined;

  constructor(
    readonly name: string,
    readonly scheduler: Scheduler,
    readonly random: Random,
  ) {
    this.boot = random.uuid();
    this.powerSwitch();
  }

  private powerSwitch(): void {
    const { clock } = this.scheduler;
    this.numbers.clear();
    const options = { clock, devices: [UPLINK], staleUntilEffective: true, cacheDecisions: true };
    const target = new SimulatedSwitch(options);
    this.switch = target;
    target.onTransmit((name, frame) => {
      if (this.switch !== target) return;
      if (name === UPLINK) return this.onWire(this, frame);
      const guest = this.taps.get(name);
      if (guest !== undefined) this.onHanded(this, guest, frame);
    });
  }

  /** vswitchd is killed and comes back: the database stands, flows, groups and meters are gone. */
  restartSwitch(): void {
    const old = this.switch;
    const rows = old.interfaces();
    const bridges = [...old.bridges.values()];
    this.powerSwitch();
    for (const { name, switchName, mtu } of bridges)
      this.switch.transact([{ op: 'add-bridge', bridge: name, switch: switchName, mtu }]);
    for (const row of rows) {
      const { bridge, name, type, marks } = row;
      if (this.taps.has(name)) {
        const { externalIds, mac } = row;
        const number = this.switch.addInterface({
          bridge,
          name,
          externalIds,
          ...(mac === undefined ? {} : { mac }),
        });
        this.watch(bridge, number, this.taps.get(name));
        if (Object.keys(marks).length > 0)
          this.switch.transact([{ op: 'mark-port', bridge, port: name, marks }]);
      } else
        this.switch.transact([{ op: 'add-port', bridge, port: { name, plugged: 'agent', type, marks } }]);
    }
    for (const driver of [...this.drivers]) driver.switchRestarted();
  }

  /** The host goes down with all that runs on it, and comes up with an empty switch. Its disk stands. */
  reboot(): void {
    this.boot = this.random.uuid();
    for (const guest of this.taps.values()) {
      guest.state = 'off';
      guest.machine = null;
    }
    this.taps.clear();
    this.attempts.clear();
    this.powerSwitch();
  }

  /** Somebody deletes a flow by hand. */
  deleteFlow(): void {
    for (const bridge of this.switch.bridges.values()) {
      const flows = bridge.tables.flows(this.scheduler.now);
      if (flows.length > 0) this.switch.deleteFlow(bridge.name, this.random.pick(flows).flow);
    }
  }

  hasBridge(guest: Guest): boolean {
    return this.switch.bridges.has(bridgeName(guest.spec.switch));
  }

  plug(guest: Guest): void {
    const { spec, tap } = guest;
    this.taps.set(tap, guest);
    this.known.add(guest);
    const bridge = bridgeName(spec.switch);
    const number = this.switch.addInterface({
      bridge,
      name: tap,
      mac: spec.mac,
      externalIds: {
        'iface-id': spec.ifaceId,
        'attached-mac': spec.mac,
        'vm-id': spec.owner,
        'port-profile': spec.profile,
        'iface-status': 'active',
      },
    });
    this.watch(bridge, number, guest);
  }

  /** The switch looks a port's number up when it puts a frame out: a number without a port is a frame lost. */
  private watch(bridge: string, number: number, guest: Guest | undefined): void {
    if (guest !== undefined) this.numbers.set(number, guest);
    const { ports } = this.switch.bridge(bridge);
    if (this.watched.has(ports)) return;
    this.watched.add(ports);
    const liveName = ports.liveName.bind(ports);
    const current = this.switch;
    ports.liveName = (port) => {
      const name = liveName(port);
      const gone = name === undefined && this.switch === current ? this.numbers.get(port) : undefined;
      if (gone !== undefined) this.onMissed(gone);
      return name;
    };
  }

  unplug(guest: Guest): void {
    if (!this.taps.delete(guest.tap)) return;
    this.switch.removeInterface(guest.tap);
  }

  /** A guest's frame enters the switch by its tap; true when a count meter took it. */
  inject(guest: Guest, frame: Uint8Array): number {
    const before = this.countedIn(guest);
    this.switch.inject(guest.tap, frame);
    return this.countedIn(guest) - before;
  }

  private countedIn(guest: Guest): number {
    let sum = 0;
    const bridge = this.switch.bridges.get(bridgeName(guest.spec.switch));
    for (const [id, meter] of bridge?.meters ?? [])
      if (id % METERS < COUNTED_IN) sum += Number(meter.stats().packetsIn);
    return sum;
  }
}
