import { type Clock } from '#kernel';
import {
  sameExports,
  type Action,
  type BridgeExports,
  type BundleMod,
  type BridgeObservation,
  type Flow,
  type FlowChange,
  type Match,
  type MeterMod,
  type ObservedRow,
} from '#openflow';
import { type Conntrack } from '../conntrack/conntrack.js';
import { metadata } from '../frame/metadata.js';
import { Packet } from '../frame/packet.js';
import { applyMeterMods, type MeterState } from '../meter.js';
import { toOps } from '../table/ops.js';
import { refuseActions } from '../table/validate.js';
import { Execution, type Effects } from './execute.js';
import { type Limits, type SwitchOptions } from './limits.js';
import { type BridgePorts } from './ports.js';
import { refuse } from './problems.js';
import { hasRoom, setBit } from './learn.js';
import { Tables } from './tables.js';
import { Timeouts } from './timeouts.js';

export interface PacketInEvent {
  readonly table: number;
  readonly cookie: bigint;
  readonly metadata: Match;
  readonly userdata: Uint8Array;
  readonly frame: Uint8Array;
}

/** What a bridge tells its switch. */
export interface BridgeEvents {
  transmit(interfaceName: string, frame: Uint8Array): void;
  packetIn(event: PacketInEvent): void;
  changed(changes: readonly FlowChange[]): void;
  gaveUp(reason: string): void;
}

/** What a frame came by that its controller sends. */
const NO_PORT = 0xfffffffd;
/** Kinds of frames that are remembered, at most; beyond, everything is forgotten. */
const MAX_CACHE = 10_000;

/** One bridge: tables, meters, ports, and the cache of decisions that makes a switch lag behind its tables. */
export class Bridge {
  readonly tables: Tables;
  exports: BridgeExports = {};
  /** How often all of it was read. */
  readings = 0;
  /** What somebody set in its row by hand. */
  altered: Partial<Pick<ObservedRow, 'markLost' | 'failMode' | 'settings'>> = {};
  readonly meters = new Map<number, MeterState>();
  private readonly cache = new Map<string, Tables>();
  private readonly timeouts: Timeouts;

  constructor(
    readonly name: string,
    public switchName: string,
    public mtu: number,
    readonly ports: BridgePorts,
    private readonly limits: Limits,
    private readonly options: SwitchOptions,
    private readonly clock: Clock,
    private readonly conntrack: Conntrack,
    private readonly events: BridgeEvents,
  ) {
    this.tables = new Tables(limits);
    this.timeouts = new Timeouts(
      clock,
      (flow) => this.usedAt(flow),
      (flow) => this.expire(flow),
      options.lateMs,
    );
  }

  receive(port: number, bytes: Uint8Array): void {
    this.ports.received(port, bytes.length);
    const packet = Packet.of(bytes, port);
    if (packet === undefined) return;
    const { tables, known } = this.decide(packet);
    this.execute(tables, known, (execution) => execution.run(packet));
  }

  /** What somebody else than a flow wants done with a frame, which is decided on anew. */
  work(actions: readonly Action[], bytes: Uint8Array): void {
    const packet = Packet.of(bytes, NO_PORT);
    if (packet === undefined) return;
    const refused = refuseActions(actions, -1, false);
    if (refused !== undefined) throw refuse('actions', actions.map(({ kind }) => kind).join(), refused);
    this.execute(this.tables, false, (execution) => execution.work(toOps(actions), packet));
  }

  bundle(mods: readonly BundleMod[]): void {
    const before =
      this.options.staleUntilEffective === true && this.cache.size > 0 ? this.tables.copy() : undefined;
    this.tables.bundle(mods, this.clock.monotonic(), this.meters);
    for (const mod of mods) if (mod.op === 'add-flow') this.timeouts.watch(mod.flow);
    if (before === undefined) return;
    for (const [key, tables] of this.cache) if (tables === this.tables) this.cache.set(key, before);
  }

  meterMods(mods: readonly MeterMod[]): void {
    const gone = applyMeterMods(this.meters, mods, this.limits.meters, this.clock);
    if (gone.size > 0) this.tables.dropMeters(gone);
  }

  /** Every frame is decided on anew. */
  forget(): void {
    this.cache.clear();
    this.tables.push();
  }

  /** What the switch's database says of it. */
  row(): Omit<ObservedRow, 'name'> {
    const { markLost, failMode, settings } = this.altered;
    return {
      externalIds: markLost === true ? {} : { 'portolan-switch': this.switchName },
      failMode: failMode ?? 'secure',
      mtu: this.mtu,
      ...(markLost === undefined ? {} : { markLost }),
      ...(settings === undefined ? {} : { settings }),
      ...(sameExports(this.exports, {}) ? {} : { exports: this.exports }),
    };
  }

  observe(): BridgeObservation {
    this.readings += 1;
    return {
      name: this.name,
      ...this.row(),
      flows: this.tables.flows(this.clock.monotonic()),
      groups: [...this.tables.groups.values()],
      meters: [...this.meters.values()].map((m) => ({ ...m.config, durationMs: m.durationMs })),
      ports: this.ports.describe(),
    };
  }

  close(): void {
    this.timeouts.close();
  }

  private execute(tables: Tables, known: boolean, what: (execution: Execution) => void): void {
    const now = this.clock.monotonic();
    const execution = new Execution(tables, this.meters, this.conntrack, this.effects(known), now);
    what(execution);
    if (execution.fault !== undefined) this.events.gaveUp(execution.fault);
  }

  private effects(known: boolean): Effects {
    const learned: Flow[] = [];
    return {
      output: (port, frame) => {
        const name = this.ports.liveName(port);
        if (name === undefined) return;
        this.ports.sent(port, frame.length);
        this.events.transmit(name, frame);
      },
      packetIn: (table, cookie, packet, maxLen, userdata) => {
        const frame = packet.bytes.slice(0, maxLen);
        this.events.packetIn({ table, cookie, userdata, frame, metadata: metadata(packet) });
      },
      learn: (action, flow, packet) => {
        if (known && this.options.cacheDecisions === true) return;
        const room = hasRoom(action, flow, this.tables);
        if (action.resultDst !== undefined) setBit(action.resultDst, room, packet);
        if (room) learned.push(flow);
      },
      decided: () => {
        // Most frames teach nothing.
        if (learned.length === 0) return;
        for (const flow of learned.splice(0)) {
          const change = this.tables.put(flow, this.clock.monotonic());
          this.timeouts.watch(flow);
          this.events.changed([change]);
        }
      },
      isLive: (port) => this.ports.liveName(port) !== undefined,
    };
  }

  /** The tables that a frame is treated by, and whether one of its kind was seen before. */
  private decide(packet: Packet): { tables: Tables; known: boolean } {
    const { staleUntilEffective, cacheDecisions } = this.options;
    if (staleUntilEffective !== true && cacheDecisions !== true) return { tables: this.tables, known: false };
    packet.lookDeep();
    const key = packet.words.join();
    const found = this.cache.get(key);
    if (found !== undefined)
      return { tables: staleUntilEffective === true ? found : this.tables, known: true };
    if (this.cache.size >= MAX_CACHE) this.cache.clear();
    this.cache.set(key, this.tables);
    return { tables: this.tables, known: false };
  }

  /** Undefined when the flow is gone or another stands in its place. */
  private usedAt(flow: Flow): number | undefined {
    const entry = this.tables.find(flow);
    return entry?.flow === flow ? entry.usedAt : undefined;
  }

  private expire(flow: Flow): void {
    const entry = this.tables.find(flow);
    if (entry === undefined) return;
    this.tables.remove(entry);
    // Nobody waits for that to be effective: the switch itself looks through what it has cached.
    this.cache.clear();
    this.events.changed([{ change: 'removed', flow }]);
  }
}
