import { type FieldName, type Flow, type Group, type LearnAction } from '#openflow';
import { type Packet } from '../frame/packet.js';
import { slotOf } from '../frame/layout.js';
import { type MeterState } from '../meter.js';
import { type Op } from '../table/ops.js';
import { clearCt, track, type CtOp } from '../conntrack/apply.js';
import { type Conntrack } from '../conntrack/conntrack.js';
import { learned } from './learn.js';
import { type Tables } from './tables.js';
import { bucketOps, cut, move, set } from './write.js';

/** What a frame may do to the world. */
export interface Effects {
  output(port: number, frame: Uint8Array): void;
  packetIn(table: number, cookie: bigint, packet: Packet, maxLen: number, userdata: Uint8Array): void;
  /** Whether there is room is known at once; the flow is added when the way is decided. */
  learn(action: LearnAction, flow: Flow, packet: Packet): void;
  /** The way is decided: what was learned on it counts from here on. A frame is looked up in the tables as they were. */
  decided(): void;
  isLive(port: number): boolean;
}

/** The list of datapath actions that a frame's way through the tables makes. A meter that drops ends it. */
interface Scope {
  ended: boolean;
}

/** The switch's own limits. */
const MAX_DEPTH = 64;
const MAX_RESUBMITS = 4096;
const MAX_RECIRCULATIONS = 6;

/** One frame on its way. */
export class Execution {
  private resubmits = 0;
  private recirculations = 0;
  private readonly push: number;
  /** Why the switch gave up on the frame. */
  fault: string | undefined;

  constructor(
    private readonly tables: Tables,
    private readonly meters: ReadonlyMap<number, MeterState>,
    private readonly conntrack: Conntrack,
    private readonly effects: Effects,
    private readonly now: number,
  ) {
    this.push = tables.pushAt(now);
  }

  run(packet: Packet): void {
    this.from(0, packet, { ended: false }, 0);
    this.effects.decided();
  }

  /** Actions of nobody's flow. */
  work(ops: readonly Op[], packet: Packet): void {
    this.actions(ops, packet, { ended: false }, 0, 0, 0n);
    this.effects.decided();
  }

  private from(start: number, packet: Packet, scope: Scope, depth: number): void {
    let table: number | undefined = start;
    while (table !== undefined && this.fault === undefined) {
      this.resubmits += 1;
      if (depth > MAX_DEPTH) this.fault = `more than ${MAX_DEPTH} levels deep`;
      if (this.resubmits > MAX_RESUBMITS) this.fault = `more than ${MAX_RESUBMITS} lookups`;
      const entry = this.tables.lookup(table, packet);
      if (entry === undefined) return;
      entry.hit(packet.bytes.length, this.now, this.push);
      table = this.actions(entry.ops, packet, scope, depth, table, entry.flow.cookie);
    }
  }

  /** Runs a list; gives the table to go to. */
  private actions(
    ops: readonly Op[],
    packet: Packet,
    scope: Scope,
    depth: number,
    table: number,
    cookie: bigint,
  ): number | undefined {
    for (const op of ops) {
      switch (op.op) {
        case 'set':
          set(op, packet);
          break;
        case 'move':
          move(op.src, op.dst, packet);
          break;
        case 'push':
          packet.pushVlan();
          break;
        case 'pop':
          packet.popVlan();
          break;
        case 'resubmit':
          this.from(op.table, packet, scope, depth + 1);
          break;
        case 'clone': {
          const inner = op.isolated ? { ended: scope.ended } : scope;
          this.actions(op.ops, packet.clone(), inner, depth + 1, table, cookie);
          break;
        }
        case 'group':
          this.group(op.id, packet, scope, depth, table, cookie);
          break;
        case 'meter':
          if (!scope.ended && this.meters.get(op.id)?.take(packet.bytes.length) === false) scope.ended = true;
          break;
        case 'output':
          if (!scope.ended && op.port !== packet.inPort)
            this.effects.output(op.port, cut(packet.bytes, op.maxLen));
          break;
        case 'in-port':
          if (!scope.ended) this.effects.output(packet.inPort, packet.bytes);
          break;
        case 'controller':
          if (!scope.ended && this.metered(op.meter, packet))
            this.effects.packetIn(table, cookie, packet, op.maxLen, op.userdata);
          break;
        case 'ct':
          if (!scope.ended) this.connection(op, packet);
          clearCt(packet);
          break;
        case 'ct-clear':
          clearCt(packet);
          break;
        case 'sample':
          break;
        case 'learn':
          // Learning is part of deciding, not of the actions decided on: no meter stops it.
          this.effects.learn(op.learn, learned(op.learn, packet), packet);
          break;
        case 'goto':
          return op.table;
      }
    }
    return undefined;
  }

  /** A packet-in has a meter of its own, which leaves the frame alone. */
  private metered(meter: number | undefined, packet: Packet): boolean {
    return meter === undefined || this.meters.get(meter)?.take(packet.bytes.length) !== false;
  }

  /**
   * The frame goes on in the table as one that came anew: with its registers, a list of actions and a count of lookups
   * of its own. What drops it there takes nothing from those that stand behind the `ct`.
   */
  private connection(op: CtOp, packet: Packet): void {
    const copy = packet.clone();
    track(op, copy, this.conntrack);
    if (op.table === undefined) return;
    const { resubmits } = this;
    this.resubmits = 0;
    this.recirculations += 1;
    if (this.recirculations > MAX_RECIRCULATIONS)
      this.fault = `more than ${MAX_RECIRCULATIONS} times through conntrack`;
    else {
      this.effects.decided();
      this.from(op.table, copy, { ended: false }, 0);
    }
    this.recirculations -= 1;
    this.resubmits = resubmits;
  }

  private group(
    id: number,
    packet: Packet,
    scope: Scope,
    depth: number,
    table: number,
    cookie: bigint,
  ): void {
    const group = this.tables.groups.get(id);
    if (group === undefined) return;
    for (const bucket of this.buckets(group, packet)) {
      this.actions(bucketOps(bucket), packet.clone(), scope, depth + 1, table, cookie);
    }
  }

  private buckets({ type, buckets, selection }: Group, packet: Packet): Group['buckets'] {
    const live = buckets.filter((b) => b.watchPort === undefined || this.effects.isLive(b.watchPort));
    switch (type) {
      case 'all':
        return buckets;
      case 'indirect':
      case 'fast-failover':
        return live.slice(0, 1);
      case 'select': {
        if (live.length === 0) return [];
        const at =
          hashOf(packet, selection?.fields ?? ['eth_src', 'eth_dst'], selection?.param ?? 0n) % live.length;
        return live.slice(at, at + 1);
      }
    }
  }
}

/** Equal for equal fields in every switch; another than the real one's, which nobody may rely on. */
function hashOf(packet: Packet, fields: readonly FieldName[], basis: bigint): number {
  packet.lookDeep();
  let hash = Number(basis & 0xffffffffn);
  for (const field of fields) {
    const { at, words } = slotOf(field);
    for (let i = 0; i < words; i += 1) hash = Math.imul(hash ^ (packet.words[at + i] ?? 0), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}
