import { story, type Outcome, type StoryOptions } from '../story/story.js';

export interface Shrunk {
  readonly outcome: Outcome;
  /** Arguments that play the smaller story. */
  readonly how: string;
}

/**
 * Leaves out what the failure does not need: first everything after it, then one thing after the other, as long as
 * the story still breaks. Bounded: a story is told at most `tries` times.
 */
export async function shrink(options: StoryOptions, broken: Outcome, tries = 40): Promise<Shrunk> {
  const { actions = 40 } = options;
  const without = new Set<number>();
  let outcome = broken;
  for (let size = Math.max(1, actions >> 1), left = tries; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at < actions && left > 0; at += size) {
      const some = Array.from({ length: Math.min(size, actions - at) }, (_, i) => at + i).filter(
        (i) => !without.has(i),
      );
      if (some.length === 0) continue;
      left -= 1;
      const tried = await story({ ...options, without: new Set([...without, ...some]) });
      if (tried.ok) continue;
      outcome = tried;
      for (const i of some) without.add(i);
    }
  }
  const list = [...without].sort((a, b) => a - b).join(',');
  return { outcome, how: list === '' ? '' : ` --without ${list}` };
}
