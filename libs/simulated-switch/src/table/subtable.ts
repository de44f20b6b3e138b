import { type Entry } from './entry.js';
import { type Shape } from './shape.js';

const hashStep = (hash: number, word: number): number => Math.imul(hash ^ word, 0x01000193) >>> 0;
const SEED = 0x811c9dc5;

/** All flows of one shape, found by hash; of equal values the highest priority stands first. */
export class Subtable {
  readonly entries = new Map<number, Entry[]>();
  maxPriority = -1;
  size = 0;

  constructor(readonly shape: Shape) {}

  find(words: Uint32Array): Entry | undefined {
    const { at, masks } = this.shape;
    let hash = SEED;
    for (let i = 0; i < at.length; i += 1)
      hash = hashStep(hash, ((words[at[i] as number] ?? 0) & (masks[i] as number)) >>> 0);
    const list = this.entries.get(hash);
    if (list === undefined) return undefined;
    next: for (const entry of list) {
      for (let i = 0; i < at.length; i += 1) {
        if (((words[at[i] as number] ?? 0) & (masks[i] as number)) >>> 0 !== entry.values[i]) continue next;
      }
      return entry;
    }
    return undefined;
  }

  add(entry: Entry): void {
    const hash = entry.values.reduce(hashStep, SEED);
    const list = this.entries.get(hash);
    if (list === undefined) this.entries.set(hash, [entry]);
    else {
      list.push(entry);
      list.sort((a, b) => b.priority - a.priority);
    }
    this.size += 1;
    this.maxPriority = Math.max(this.maxPriority, entry.priority);
  }

  remove(entry: Entry): void {
    const hash = entry.values.reduce(hashStep, SEED);
    const rest = this.entries.get(hash)?.filter((e) => e !== entry) ?? [];
    if (rest.length === 0) this.entries.delete(hash);
    else this.entries.set(hash, rest);
    this.size -= 1;
    if (entry.priority !== this.maxPriority) return;
    this.maxPriority = -1;
    for (const list of this.entries.values()) {
      for (const e of list) this.maxPriority = Math.max(this.maxPriority, e.priority);
    }
  }
}
