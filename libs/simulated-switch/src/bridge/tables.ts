import { flowKey, type BundleMod, type Flow, type FlowChange, type FlowStats, type Group } from '#openflow';
import { type Packet } from '../frame/packet.js';
import { Entry } from '../table/entry.js';
import { FlowTable } from '../table/flow-table.js';
import { findOverlap } from '../table/overlaps.js';
import { refuseBucket, refuseFlow } from '../table/validate.js';
import { type Limits } from './limits.js';
import { refuse } from './problems.js';
import { names, visit } from './references.js';

/** How often the switch adds what its cache carried to the counts of flows. */
const PUSH_MS = 500;

/** Flow tables and groups of one bridge. What a bundle changes is undone as a whole when anything of it is refused. */
export class Tables {
  private readonly tables = new Map<number, FlowTable>();
  readonly groups = new Map<number, Group>();
  private pushes = 0;

  constructor(private readonly limits: Limits) {}

  lookup(table: number, packet: Packet): Entry | undefined {
    return this.tables.get(table)?.lookup(packet);
  }

  find(flow: Pick<Flow, 'table' | 'priority' | 'match'>): Entry | undefined {
    return this.tables.get(flow.table)?.get(flowKey(flow));
  }

  flows(now: number): FlowStats[] {
    return [...this.entries()].map((entry) => entry.stats(now, this.pushAt(now)));
  }

  /** Flows of a table with this very cookie. */
  countIn(table: number, cookie: bigint): number {
    let count = 0;
    for (const entry of this.tables.get(table)?.all() ?? []) if (entry.flow.cookie === cookie) count += 1;
    return count;
  }

  /** Frames that were carried out are counted now, not at the next half second. */
  push(): void {
    this.pushes += 1;
  }

  /** Grows whenever counts of flows are brought up to date. */
  pushAt(now: number): number {
    return this.pushes + Math.floor(now / PUSH_MS);
  }

  /** A standing copy for frames that are still treated by it. */
  copy(): Tables {
    const copy = new Tables(this.limits);
    copy.pushes = this.pushes;
    for (const [number, table] of this.tables) copy.tables.set(number, table.copy());
    for (const [id, group] of this.groups) copy.groups.set(id, group);
    return copy;
  }

  /** All or nothing. `meters` are those that flows may name. */
  bundle(mods: readonly BundleMod[], now: number, meters: ReadonlyMap<number, unknown>): void {
    const undo: (() => void)[] = [];
    try {
      for (const mod of mods) this.apply(mod, now, undo);
      this.check(mods, meters);
    } catch (cause) {
      for (const back of undo.reverse()) back();
      throw cause;
    }
  }

  /** What the switch does by itself: no check, as the switch makes none. */
  put(flow: Flow, now: number): FlowChange {
    const old = this.table(flow.table).put(new Entry(flow, now));
    return { change: old === undefined ? 'added' : 'modified', flow };
  }

  remove(entry: Entry): void {
    this.tables.get(entry.flow.table)?.remove(entry);
  }

  /** Removes every flow that names one of the meters. */
  dropMeters(ids: ReadonlySet<number>): void {
    for (const entry of [...this.entries()]) {
      if (names(entry.flow.actions, 'meter', ids)) this.remove(entry);
    }
  }

  private apply(mod: BundleMod, now: number, undo: (() => void)[]): void {
    switch (mod.op) {
      case 'add-flow': {
        const why = refuseFlow(mod.flow);
        if (why !== undefined) throw refuse('flow', flowKey(mod.flow), why, 'invalid');
        const table = this.table(mod.flow.table);
        const entry = new Entry(mod.flow, now);
        const old = table.put(entry);
        undo.push(() => (old === undefined ? table.remove(entry) : void table.put(old)));
        return;
      }
      case 'delete-flow': {
        const entry = this.find(mod.flow);
        if (entry !== undefined) this.take(entry, undo);
        return;
      }
      case 'add-group':
      case 'modify-group': {
        const { group } = mod;
        const old = this.groups.get(group.id);
        if (mod.op === 'add-group' && old !== undefined) throw refuse('group', group.id, 'exists already');
        if (mod.op === 'modify-group' && old === undefined) throw refuse('group', group.id, 'is unknown');
        for (const bucket of group.buckets) {
          const why = refuseBucket(bucket.actions);
          if (why !== undefined) throw refuse('group', group.id, why, 'invalid');
        }
        this.groups.set(group.id, group);
        undo.push(() =>
          old === undefined ? void this.groups.delete(group.id) : void this.groups.set(group.id, old),
        );
        return;
      }
      case 'delete-group': {
        const old = this.groups.get(mod.id);
        if (old === undefined) return;
        this.groups.delete(mod.id);
        undo.push(() => void this.groups.set(mod.id, old));
        for (const entry of [...this.entries()]) {
          if (names(entry.flow.actions, 'group', new Set([mod.id]))) this.take(entry, undo);
        }
      }
    }
  }

  private take(entry: Entry, undo: (() => void)[]): void {
    const table = this.table(entry.flow.table);
    table.remove(entry);
    undo.push(() => void table.put(entry));
  }

  /** Looks at what the bundle touched: references, room, overlaps. */
  private check(mods: readonly BundleMod[], meters: ReadonlyMap<number, unknown>): void {
    if (this.groups.size > this.limits.groups)
      throw refuse('groups', this.groups.size, 'the group table is full');
    const touched = new Map<number, Set<number>>();
    for (const mod of mods) {
      if (mod.op !== 'add-flow') continue;
      const { flow } = mod;
      this.checkReferences(flow, meters);
      const priorities = touched.get(flow.table) ?? new Set();
      touched.set(flow.table, priorities.add(flow.priority));
    }
    for (const [number, priorities] of touched) {
      const table = this.table(number);
      if (table.size > this.limits.flowsPerTable) throw refuse('table', number, 'is full');
      const peers = new Map<number, Entry[]>([...priorities].map((p) => [p, []]));
      for (const entry of table.all()) peers.get(entry.priority)?.push(entry);
      for (const entries of peers.values()) {
        const pair = findOverlap(entries);
        if (pair !== undefined) throw refuse('flow', pair[0].key, `overlaps ${pair[1].key}`);
      }
    }
  }

  private checkReferences(flow: Flow, meters: ReadonlyMap<number, unknown>): void {
    visit(flow.actions, (action) => {
      const key = flowKey(flow);
      if (action.kind === 'controller' && action.meter !== undefined && !meters.has(action.meter))
        throw refuse('flow', key, `names unknown meter ${action.meter}`);
      if (action.kind === 'meter' && !meters.has(action.meter))
        throw refuse('flow', key, `names unknown meter ${action.meter}`);
      if (action.kind === 'group' && !this.groups.has(action.group))
        throw refuse('flow', key, `names unknown group ${action.group}`);
    });
  }

  private *entries(): Generator<Entry> {
    for (const table of this.tables.values()) yield* table.all();
  }

  private table(number: number): FlowTable {
    let table = this.tables.get(number);
    if (table === undefined) this.tables.set(number, (table = new FlowTable()));
    return table;
  }
}
