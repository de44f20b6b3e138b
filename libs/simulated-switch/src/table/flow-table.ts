import { type Packet } from '../frame/packet.js';
import { type Entry } from './entry.js';
import { Subtable } from './subtable.js';

/** One table: subtables by shape, the one with the highest priority first, so that most lookups end early. */
export class FlowTable {
  private readonly byKey = new Map<string, Entry>();
  private subtables: Subtable[] = [];

  lookup(packet: Packet): Entry | undefined {
    let best: Entry | undefined;
    for (const subtable of this.subtables) {
      if (best !== undefined && best.priority >= subtable.maxPriority) break;
      if (subtable.shape.deep) packet.lookDeep();
      const found = subtable.find(packet.words);
      if (found !== undefined && (best === undefined || found.priority > best.priority)) best = found;
    }
    return best;
  }

  get size(): number {
    return this.byKey.size;
  }

  get(key: string): Entry | undefined {
    return this.byKey.get(key);
  }

  all(): IterableIterator<Entry> {
    return this.byKey.values();
  }

  /** Adds, or replaces the entry of the same identity, which is returned. */
  put(entry: Entry): Entry | undefined {
    const old = this.byKey.get(entry.key);
    if (old !== undefined) this.remove(old);
    this.byKey.set(entry.key, entry);
    let subtable = this.subtables.find((s) => s.shape === entry.shape);
    if (subtable === undefined) this.subtables.push((subtable = new Subtable(entry.shape)));
    subtable.add(entry);
    this.sort();
    return old;
  }

  remove(entry: Entry): void {
    this.byKey.delete(entry.key);
    const subtable = this.subtables.find((s) => s.shape === entry.shape);
    subtable?.remove(entry);
    if (subtable?.size === 0) this.subtables = this.subtables.filter((s) => s !== subtable);
    this.sort();
  }

  /** An independent table with the same entries. */
  copy(): FlowTable {
    const copy = new FlowTable();
    for (const entry of this.byKey.values()) copy.put(entry);
    return copy;
  }

  private sort(): void {
    const tables = this.subtables;
    for (let i = 1; i < tables.length; i += 1) {
      if ((tables[i - 1]?.maxPriority ?? 0) < (tables[i]?.maxPriority ?? 0)) {
        tables.sort((a, b) => b.maxPriority - a.maxPriority);
        return;
      }
    }
  }
}
