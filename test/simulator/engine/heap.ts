/** A binary heap. */
export class Heap<T> {
  private readonly items: T[] = [];

  constructor(private readonly compare: (a: T, b: T) => number) {}

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const { items } = this;
    let i = items.push(item) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (this.compare(item, items[up] as T) >= 0) break;
      items[i] = items[up] as T;
      i = up;
    }
    items[i] = item;
  }

  pop(): T | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= items.length) break;
      const right = items[down + 1];
      if (right !== undefined && this.compare(right, items[down] as T) < 0) down += 1;
      if (this.compare(last, items[down] as T) <= 0) break;
      items[i] = items[down] as T;
      i = down;
    }
    items[i] = last;
    return top;
  }
}
