import { type Clock } from '#kernel';
import {
  type BundleMod,
  type DriverEvent,
  type Flow,
  type FlowChange,
  type GroupMod,
  type MeterMod,
  type MeterModMessage,
  type ObservedInterface,
  type OvsdbChange,
  type PortSettings,
  type Action,
} from '#openflow';
import { Bridge } from './bridge/bridge.js';
import { LIMITS, type SwitchOptions } from './bridge/limits.js';
import { BridgePorts, observeInterface, type SimInterface } from './bridge/ports.js';
import { refuse } from './bridge/problems.js';
import { applyRows } from './rows.js';
import { Conntrack } from './conntrack/conntrack.js';
import { WorkQueue } from './work-queue.js';

export interface SimulatedSwitchOptions extends SwitchOptions {
  readonly clock: Clock;
  /** Physical devices that the host has; absent: any name is one. */
  readonly devices?: readonly string[];
}

export interface NewInterface {
  readonly bridge: string;
  readonly name: string;
  readonly externalIds?: Readonly<Record<string, string>>;
  readonly linkUp?: boolean;
  readonly mac?: string;
  readonly mtu?: number;
}

export type TransmitListener = (interfaceName: string, frame: Uint8Array) => void;

/**
 * The switch of one simulated host: what vswitchd and its database are to a real one. It outlives the drivers that
 * connect to it. Frames go through it in the order in which they came, also those that a listener injects while it
 * is told of another. Frames are shared, not copied: nobody may write to them.
 */
export class SimulatedSwitch {
  readonly bridges = new Map<string, Bridge>();
  readonly clock: Clock;
  /** Connections, of all bridges. */
  readonly conntrack = new Conntrack();
  /** Frames that the switch gave up on because of its own limits; empty in any sound state. */
  readonly faults: string[] = [];
  private readonly rows = new Map<string, SimInterface>();
  private readonly transmitters = new Set<TransmitListener>();
  private readonly listeners = new Set<(event: DriverEvent) => void>();
  private readonly works = new WorkQueue();

  constructor(private readonly options: SimulatedSwitchOptions) {
    this.clock = options.clock;
  }

  /** Plugs an interface, as a hypervisor does. Throws when there is no such bridge (yet), or the name is taken. */
  addInterface(wanted: NewInterface): number {
    const bridge = this.bridge(wanted.bridge);
    if (this.rows.has(wanted.name)) throw refuse('interface', wanted.name, 'is plugged already', 'conflict');
    const ofport = bridge.ports.allot();
    this.plug({
      bridge: wanted.bridge,
      name: wanted.name,
      type: '',
      ofport,
      linkUp: wanted.linkUp ?? true,
      externalIds: wanted.externalIds ?? {},
      marks: {},
      mac: wanted.mac,
      mtu: wanted.mtu,
      error: undefined,
    });
    this.emit({ kind: 'interfaces' });
    return ofport;
  }

  removeInterface(name: string): void {
    if (this.unplug(name)) this.emit({ kind: 'interfaces' });
  }

  /** The device goes and its row stays, as after libvirt ended a guest and before it deletes the port. */
  loseDevice(name: string): void {
    const row = this.row(name);
    this.unplug(name);
    const error = `could not open network device ${name} (No such device)`;
    this.plug({ ...row, ofport: undefined, linkUp: false, error });
    this.emit({ kind: 'interfaces' });
  }

  setLink(name: string, up: boolean): void {
    const row = this.row(name);
    if (row.linkUp === up) return;
    row.linkUp = up;
    this.emit({ kind: 'interfaces' });
  }

  setExternalIds(name: string, externalIds: Readonly<Record<string, string>>): void {
    this.row(name).externalIds = externalIds;
    this.emit({ kind: 'interfaces' });
  }

  interfaces(): ObservedInterface[] {
    return [...this.rows.values()].map(observeInterface);
  }

  /** Resolves as soon as the bridge is there: hypervisors plug into what exists only. */
  whenBridge(name: string): Promise<void> {
    if (this.bridges.has(name)) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.listen(() => {
        if (!this.bridges.has(name)) return;
        stop();
        resolve();
      });
    });
  }

  /** A frame arrives by an interface. Lost when that is not plugged or its link is down. */
  inject(interfaceName: string, frame: Uint8Array): void {
    const row = this.rows.get(interfaceName);
    if (row?.ofport === undefined || !row.linkUp) return;
    const { bridge, ofport } = row;
    this.works.add(() => this.bridges.get(bridge)?.receive(ofport, frame));
  }

  /** Told of every frame that leaves by an interface. Must not throw. */
  onTransmit(listener: TransmitListener): () => void {
    this.transmitters.add(listener);
    return () => this.transmitters.delete(listener);
  }

  /** Sends a frame out of a port, past all tables. */
  send(bridge: string, port: number, frame: Uint8Array): void {
    const name = this.bridge(bridge).ports.liveName(port);
    if (name === undefined) throw refuse('port', port, 'is not there, or its link is down', 'unavailable');
    this.works.add(() => this.transmit(name, frame));
  }

  /** Does this with a frame that came by no port. */
  work(bridge: string, actions: readonly Action[], frame: Uint8Array): void {
    const at = this.bridge(bridge);
    this.works.add(() => at.work(actions, frame));
  }

  /** One transaction: all changes or none. */
  transact(changes: readonly OvsdbChange[]): void {
    applyRows(this, changes, this.options.devices);
    this.emit({ kind: 'interfaces' });
  }

  /** Somebody deletes a flow by hand. False: there is none. */
  deleteFlow(bridge: string, flow: Pick<Flow, 'table' | 'priority' | 'match'>): boolean {
    const { tables } = this.bridge(bridge);
    const entry = tables.find(flow);
    if (entry === undefined) return false;
    tables.remove(entry);
    this.emitFlows(bridge, [{ change: 'removed', flow: entry.flow }]);
    return true;
  }

  /** Somebody adds a flow by hand, or puts another in the place of one. */
  alterFlow(bridge: string, flow: Flow): void {
    this.emitFlows(bridge, [this.bridge(bridge).tables.put(flow, this.clock.monotonic())]);
  }

  /** Somebody changes a group by hand: the agent's connection is told. */
  alterGroup(bridge: string, mod: GroupMod): void {
    const op: BundleMod =
      mod.command === 'delete'
        ? { op: 'delete-group', id: mod.id }
        : { op: `${mod.command}-group`, group: mod.group };
    this.bridge(bridge).bundle([op]);
    this.emit({ kind: 'groups', bridge, mods: [mod] });
  }

  /** The same for a meter. */
  alterMeter(bridge: string, mod: MeterModMessage): void {
    const op: MeterMod =
      mod.command === 'delete' ? { op: 'delete', id: mod.id } : { op: mod.command, meter: mod.meter };
    this.bridge(bridge).meterMods([op]);
    this.emit({ kind: 'meters', bridge, mods: [mod] });
  }

  /** Somebody changes the row of a bridge, or takes our mark away. */
  alterBridge(bridge: string, altered: Bridge['altered']): void {
    this.bridge(bridge).altered = altered;
    this.emit({ kind: 'ovsdb', columns: new Set(['Bridge.external_ids']) });
  }

  /** Somebody sets something in the row of a port. */
  alterPort(name: string, settings: PortSettings): void {
    this.row(name).settings = settings;
    this.emit({ kind: 'ovsdb', columns: new Set(['Port.tag']) });
  }

  /** Events as a driver passes them on: never in the middle of a frame. */
  listen(listener: (event: DriverEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  bridge(name: string): Bridge {
    const bridge = this.bridges.get(name);
    if (bridge === undefined) throw refuse('bridge', name, 'is unknown', 'not-found');
    return bridge;
  }

  addBridge(name: string, switchName: string, mtu: number): void {
    const limits = { ...LIMITS, ...this.options.limits };
    const bridge = new Bridge(
      name,
      switchName,
      mtu,
      new BridgePorts(() => this.clock.monotonic()),
      limits,
      this.options,
      this.clock,
      this.conntrack,
      {
        transmit: (to, frame) => this.works.add(() => this.transmit(to, frame)),
        packetIn: (event) => this.emit({ kind: 'packet-in', bridge: name, ...event }),
        changed: (changes) => this.emitFlows(name, changes),
        gaveUp: (reason) => this.faults.push(`${name}: ${reason}`),
      },
    );
    this.bridges.set(name, bridge);
  }

  removeBridge(name: string): void {
    this.bridge(name).close();
    this.bridges.delete(name);
    for (const row of [...this.rows.values()]) if (row.bridge === name) this.rows.delete(row.name);
  }

  row(name: string): SimInterface {
    const row = this.rows.get(name);
    if (row === undefined) throw refuse('interface', name, 'is not plugged', 'not-found');
    return row;
  }

  plug(row: SimInterface): void {
    this.rows.set(row.name, row);
    this.bridge(row.bridge).ports.add(row);
  }

  unplug(name: string): boolean {
    const row = this.rows.get(name);
    if (row === undefined) return false;
    this.rows.delete(name);
    this.bridges.get(row.bridge)?.ports.remove(row);
    return true;
  }

  private transmit(name: string, frame: Uint8Array): void {
    for (const listener of this.transmitters) listener(name, frame);
  }

  private emitFlows(bridge: string, changes: readonly FlowChange[]): void {
    this.emit({ kind: 'flows', bridge, changes });
  }

  private emit(event: DriverEvent): void {
    queueMicrotask(() => {
      for (const listener of [...this.listeners]) listener(event);
    });
  }
}
