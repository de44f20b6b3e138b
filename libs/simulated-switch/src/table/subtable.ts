import { type Match } from '#openflow';
import { isDeep, slotOf, wordsOf } from '../frame/layout.js';
import { type Entry } from './entry.js';

/** Which words a match looks at, and under which masks: flows with the same shape share a subtable. */
export interface Shape {
  readonly key: string;
  readonly at: readonly number[];
  readonly masks: readonly number[];
  readonly deep: boolean;
}

const shapes = new Map<string, Shape>();

/** The shape of a match, and its values in the order of the shape's words. Shapes are shared by all switches. */
export function shapeOf(match: Match): { shape: Shape; values: number[] } {
  const at: number[] = [];
  const masks: number[] = [];
  const values: number[] = [];
  let deep = false;
  for (const field of (Object.keys(match) as (keyof Match)[]).sort()) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    const slot = slotOf(field);
    const full = (1n << BigInt(slot.bits)) - 1n;
    const fieldMasks = wordsOf((wanted.mask ?? full) & full, slot.words);
    wordsOf(wanted.value, slot.words).forEach((value, i) => {
      const mask = fieldMasks[i] ?? 0;
      if (mask === 0) return;
      at.push(slot.at + i);
      masks.push(mask);
      values.push((value & mask) >>> 0);
      deep ||= isDeep(field);
    });
  }
  const key = at.map((word, i) => `${word}:${masks[i]}`).join();
  let shape = shapes.get(key);
  if (shape === undefined) shapes.set(key, (shape = { key, at, masks, deep }));
  return { shape, values };
}

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
