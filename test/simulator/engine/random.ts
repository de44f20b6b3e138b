import { Random as Seeded } from '#kernel';

/** What a story is drawn with: the same seed plays the same one. */
export class Random extends Seeded {
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  override pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('nothing to choose from');
    return items[this.below(items.length)] as T;
  }

  /** A stream of its own, so that what one part draws does not move what another draws. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }

  /** In the form of a version 4 uuid. */
  uuid(): string {
    const hex = (n: number): string =>
      Math.floor(this.next() * 16 ** n)
        .toString(16)
        .padStart(n, '0');
    return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}`;
  }
}
