import { bridgeName } from '#compiler';
import { SimulatedSwitch } from '#simulated-switch';
import { Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { Disk } from './disk.js';
import { type Guest, type Nic } from './guest.js';
import { type Attempt } from './attempt.js';

export const UPLINK = 'eth0';
/** Meters of a binding: of every sixteen ids the first three count what comes in. */
const METERS = 16;
const COUNTED_IN = 3;
/** By then the agent has put right what was done by hand. */
const TAMPERED_MS = 5_000;
/** A switch looks for flows that have run out now and then, and goes through its cached decisions after. */
const MOST_LATE_MS = 2_000;

/** What a host is apart from its agent: the switch, the taps, the hypervisor, the disk. Outlives every agent. */
export class Machine {
  switch!: SimulatedSwitch;
  readonly disk = new Disk();
  readonly drivers = new Set<{ switchRestarted(): void; failNext(): void }>();
  /** Taps that stand here, by name. */
  readonly taps = new Map<string, Nic>();
  /** Those whose device is gone, and whose row still stands. */
  private readonly dead = new Map<string, Nic>();
  /** vNICs that ever had a tap on this switch. */
  readonly known = new Set<Nic>();
  /** What the hypervisor knows of migrations that it was asked for. */
  readonly attempts = new Map<string, Attempt>();
  readonly watchers = new Set<(attempt: Attempt) => void>();
  /** Without power: nothing runs here. */
  isDown = false;
  /** Since when no agent that runs here reaches the message server. */
  cutOffAt: number | null = null;
  /** Frames that left the switch, by the uplink or a tap. */
  transmitted = 0;
  /** libvirtd, or the monitors of QEMU, answer. */
  monitored = true;
  boot: string;
  /** Its agent once began with an empty disk: what it had counted it may never tell. */
  forgot = false;
  /** Until then a flow may be missing that somebody deleted. */
  private tamperedUntil = 0;
  /** Nothing was done to the switch since its agent last reported, which knew that it had restarted. */
  unhurt = true;
  /** An agent was told of the switch as it runs now. */
  isKnown = false;
  /** Frames leave by the uplink. */
  onWire: (from: Machine, frame: Uint8Array) => void = () => undefined;
  /** A frame was counted on its way to a tap that is gone: the flows lag behind the unplugging. */
  onMissed: (nic: Nic) => void = () => undefined;
  /** Port numbers that taps had on this switch. */
  private readonly numbers = new Map<number, Nic>();
  private readonly watched = new WeakSet<object>();
  /** A frame was handed to a tap. */
  onHanded: (at: Machine, nic: Nic, frame: Uint8Array) => void = () => undefined;

  /** A stream of its own: how late rows end moves nothing else. */
  private readonly lateness: Random;

  constructor(
    readonly name: string,
    readonly scheduler: Scheduler,
    readonly random: Random,
  ) {
    this.lateness = new Random([...name].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7));
    this.boot = random.uuid();
    this.powerSwitch();
  }

  private powerSwitch(): void {
    const { clock } = this.scheduler;
    this.numbers.clear();
    this.unhurt = false;
    this.isKnown = false;
    const lateMs = (): number => this.lateness.between(0, MOST_LATE_MS);
    const options = { clock, devices: [UPLINK], staleUntilEffective: true, cacheDecisions: true, lateMs };
    const target = new SimulatedSwitch(options);
    this.switch = target;
    target.onTransmit((name, frame) => {
      if (this.switch !== target) return;
      this.transmitted += 1;
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
      if (this.dead.has(name)) {
        this.switch.addInterface({ bridge, name, externalIds: row.externalIds });
        this.switch.loseDevice(name);
      } else if (this.taps.has(name)) {
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
    // What was ready for guests that are here is gone: they find it so again, but not at once.
    for (const { guest } of this.taps.values()) if (guest.machine === this.name) guest.awaitedUntil = 0;
    for (const driver of [...this.drivers]) driver.switchRestarted();
  }

  /** The host goes down with all that runs on it, and comes up with an empty switch. Its disk stands. */
  reboot(): void {
    this.boot = this.random.uuid();
    for (const { guest } of this.taps.values()) guest.endsAt(this.name, this.scheduler.now);
    this.taps.clear();
    this.dead.clear();
    // The agent's disk remembers that they were asked for; how they went nobody here can tell any more.
    for (const attempt of this.attempts.values())
      Object.assign(attempt, {
        outcome: 'unknown',
        reason: 'the host was started anew',
        untold: false,
        held: false,
      });
    this.monitored = true;
    this.powerSwitch();
  }

  /** Somebody deletes a flow by hand. */
  deleteFlow(): void {
    this.unhurt = false;
    this.tamperedUntil = this.scheduler.now + TAMPERED_MS;
    for (const bridge of this.switch.bridges.values()) {
      const flows = bridge.tables.flows(this.scheduler.now);
      if (flows.length > 0) this.switch.deleteFlow(bridge.name, this.random.pick(flows).flow);
    }
  }

  isTampered(now: number): boolean {
    return now < this.tamperedUntil;
  }

  hasBridges({ nics }: Guest): boolean {
    return !this.isDown && nics.every(({ spec }) => this.switch.bridges.has(bridgeName(spec.switch)));
  }

  hasTap({ nics }: Guest): boolean {
    return nics.some((nic) => this.tapOf(nic) !== undefined);
  }

  /** Something of the guest is plugged in, be it a row without its device. */
  hasRemains({ nics }: Guest): boolean {
    return nics.some((nic) => this.tapOf(nic) !== undefined || [...this.dead.values()].includes(nic));
  }

  /** The name of the vNIC's tap here. */
  private tapOf(nic: Nic): string | undefined {
    for (const [name, its] of this.taps) if (its === nic) return name;
    return undefined;
  }

  /** The bridge was taken out under a guest: its taps are in none. */
  strands({ nics }: Guest): boolean {
    const rows = new Set(this.switch.interfaces().map(({ name }) => name));
    return nics.some((nic) => !rows.has(this.tapOf(nic) ?? ''));
  }

  plug(nic: Nic): void {
    const { spec } = nic;
    // A hypervisor takes another name while the row of the last one still stands.
    let tap = nic.tap;
    for (let n = 2; this.dead.has(tap); n += 1) tap = `${nic.tap}.${n}`;
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
    const tap = this.tapOf(nic);
    if (tap === undefined) return;
    this.taps.delete(tap);
    this.switch.removeInterface(tap);
  }

  /** The tap's device goes; its row is deleted later: what does that. */
  loseDevice(nic: Nic): () => void {
    const tap = this.tapOf(nic);
    if (tap === undefined) return () => undefined;
    this.taps.delete(tap);
    // The bridge may have been taken out with all that was in it.
    if (!this.switch.interfaces().some(({ name }) => name === tap)) return () => undefined;
    this.dead.set(tap, nic);
    this.switch.loseDevice(tap);
    return () => {
      if (this.dead.delete(tap)) this.switch.removeInterface(tap);
    };
  }

  /** A guest's frame enters the switch by its tap: how many count meters took it. */
  inject(nic: Nic, frame: Uint8Array, by = (tap: string): void => this.switch.inject(tap, frame)): number {
    const tap = this.tapOf(nic);
    if (tap === undefined) return 0;
    const before = this.countedIn(nic);
    by(tap);
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
