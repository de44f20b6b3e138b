import { type MigrationOrder } from '#contracts';
import { moveKey } from './moves.js';

interface Waiting {
  readonly ready: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

/** Orders that are held: the guest may be copied, and is not to be switched before its destination is ready. */
export class Holds {
  readonly #waiting = new Map<string, Waiting>();

  /** Resolves when the destination of this order is ready; rejects when the order is called off before. */
  ready(order: MigrationOrder): Promise<void> {
    const before = this.#waiting.get(moveKey(order));
    if (before !== undefined) return before.ready;
    if (order.held !== true) return Promise.resolve();
    let [resolve, reject]: [() => void, (why: Error) => void] = [() => undefined, () => undefined];
    const ready = new Promise<void>((...both) => ([resolve, reject] = both));
    this.#waiting.set(moveKey(order), { ready, resolve, reject });
    // Whoever asked may have gone another way meanwhile.
    ready.catch(() => undefined);
    return ready;
  }

  /** All orders that stand, as they stand now. */
  standing(orders: readonly MigrationOrder[]): void {
    const starts = new Map(orders.filter((o) => o.action === 'start').map((o) => [moveKey(o), o]));
    for (const [key, { resolve, reject }] of this.#waiting) {
      const order = starts.get(key);
      if (order?.held === true) continue;
      this.#waiting.delete(key);
      if (order === undefined) reject(new Error('the order was called off before the destination was ready'));
      else resolve();
    }
  }
}
