import { type MacLearning } from '#domain';

/** MACs behind the ports of one switch of a host that learn. */
export class Learned {
  /** `<segment> <mac>` → number of the port. */
  private readonly rows = new Map<string, number>();

  /** Whether a MAC is the port's, or may become one more of its. */
  hasRoom(n: number, { limit }: MacLearning, segment: number, mac: string): boolean {
    if (this.whose(segment, mac) === n) return true;
    return [...this.rows.values()].filter((port) => port === n).length < limit;
  }

  teach(n: number, segment: number, mac: string): void {
    this.rows.set(keyOf(segment, mac), n);
  }

  whose(segment: number, mac: string): number | undefined {
    return this.rows.get(keyOf(segment, mac));
  }

  /** It has moved to where this host does not see it. */
  forget(segment: number, mac: string): void {
    this.rows.delete(keyOf(segment, mac));
  }

  /** Only these ports still learn. */
  keep(ports: ReadonlySet<number>): void {
    for (const [key, n] of this.rows) if (!ports.has(n)) this.rows.delete(key);
  }
}

const keyOf = (segment: number, mac: string): string => `${segment} ${mac}`;
