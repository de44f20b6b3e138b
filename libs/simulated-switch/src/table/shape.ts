import { type Match } from '#openflow';
import { isDeep, slotOf, wordsOf } from '../frame/layout.js';

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
