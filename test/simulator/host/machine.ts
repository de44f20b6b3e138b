import { bridgeName } from '#compiler';
import { SimulatedSwitch } from '#simulated-switch';
import { type Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { Disk } from './disk.js';
import { type Guest, type Nic } from './guest.js';
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
  readonly taps = new Map<string, Nic>();
  /** vNICs that ever had a tap on this switch. */
  readonly known = new Set<Nic>();
  /** What the hypervisor knows of migrations that it was asked for. */
  readonly attempts = new Map<string, Attempt>();
  readonly watchers = new Set<(attempt: Attempt) => void>();
  boot: string;
  /** Its agent once began with an empty disk: what it had counted it may never tell. */
  forgot = false;
  /** Frames leave by the uplink. */
  onWire: (from: Machine, frame: Uint8Array) => void = () => undefined;
  /** A frame was counted on its way to a tap that is gone: the flows lag behind the unplugging. */
  onMissed: (nic: Nic) => void = () => undefined;
  /** Port numbers that taps had on this switch. */
  private readonly numbers = new Map<number, Nic>();
  private readonly watched = new WeakSet<object>();
  /** A frame was handed to a tap. */
  onHanded: (at: Machine, nic: Nic, frame: Uint8Array) => void = () => undefined;

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
      const nic = this.taps.get(name);
      if (nic !== undefined) this.onHanded(this, nic, frame);
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
    for (const { guest } of this.taps.values()) {
      if (guest.machine !== this.name) continue;
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

  hasBridges({ nics }: Guest): boolean {
    return nics.every(({ spec }) => this.switch.bridges.has(bridgeName(spec.switch)));
  }

  hasTap({ nics }: Guest): boolean {
    return nics.some(({ tap }) => this.taps.has(tap));
  }

  /** The bridge was taken out under a guest: its taps are in none. */
  strands({ nics }: Guest): boolean {
    const rows = new Set(this.switch.interfaces().map(({ name }) => name));
    return nics.some(({ tap }) => !rows.has(tap));
  }

  plug(nic: Nic): void {
    const { spec, tap } = nic;
    this.taps.set(tap, nic);
    this.known.add(nic);
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
    this.watch(bridge, number, nic);
  }

  /** The switch looks a port's number up when it puts a frame out: a number without a port is a frame lost. */
  private watch(bridge: string, number: number, nic: Nic | undefined): void {
    if (nic !== undefined) this.numbers.set(number, nic);
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

  unplug(nic: Nic): void {
    if (!this.taps.delete(nic.tap)) return;
    this.switch.removeInterface(nic.tap);
  }

  /** A guest's frame enters the switch by its tap: how many count meters took it. */
  inject(nic: Nic, frame: Uint8Array): number {
    const before = this.countedIn(nic);
    this.switch.inject(nic.tap, frame);
    return this.countedIn(nic) - before;
  }

  private countedIn({ spec }: Nic): number {
    let sum = 0;
    const bridge = this.switch.bridges.get(bridgeName(spec.switch));
    for (const [id, meter] of bridge?.meters ?? [])
      if (id % METERS < COUNTED_IN) sum += Number(meter.stats().packetsIn);
    return sum;
  }
}
