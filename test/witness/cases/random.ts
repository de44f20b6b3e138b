import { Random as Seeded } from '#kernel';

/** What a case is drawn with: the same comes of a seed everywhere. */
export class Random extends Seeded {
  /** Both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  override pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** By weight. */
  weighted<T>(...choices: readonly (readonly [number, T])[]): T {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) if ((left -= weight) < 0) return value;
    return (choices[choices.length - 1] as readonly [number, T])[1];
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** Some of a list, in its order. */
  some<T>(list: readonly T[], p: number): T[] {
    return list.filter(() => this.chance(p));
  }
}
