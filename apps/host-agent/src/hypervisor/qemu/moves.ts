import { err, invalid, ok, type Result } from '#kernel';
import { type MigrationOrder } from '#contracts';

/** An order that QEMU was asked to carry out, or may have been. */
export interface Asked {
  readonly key: string;
  readonly owner: string;
}

/**
 * Which orders this host's QEMUs were asked for. On disk before QEMU is: a run that finds an order here looks how it
 * went, and one that does not knows that nothing was done about it.
 */
export class Moves {
  readonly #asked: Map<string, string>;

  constructor(
    private readonly keep: (asked: readonly Asked[]) => Promise<void>,
    restored: readonly Asked[],
  ) {
    this.#asked = new Map(restored.map(({ key, owner }) => [key, owner]));
  }

  has(order: MigrationOrder): boolean {
    return this.#asked.has(moveKey(order));
  }

  get all(): readonly Asked[] {
    return [...this.#asked].map(([key, owner]) => ({ key, owner }));
  }

  /** Rejects when the disk did not take it: then nothing may be asked. */
  async add(order: MigrationOrder): Promise<void> {
    const key = moveKey(order);
    if (this.#asked.has(key)) return;
    this.#asked.set(key, order.owner);
    try {
      await this.keep(this.all);
    } catch (cause) {
      this.#asked.delete(key);
      throw cause;
    }
  }

  async drop(key: string): Promise<void> {
    if (this.#asked.delete(key)) await this.keep(this.all);
  }
}

export const moveKey = ({ migration, attempt }: Pick<MigrationOrder, 'migration' | 'attempt'>): string =>
  `${migration}/${attempt}`;

/** What an earlier run left on disk. */
export function parseAsked(value: unknown): Result<readonly Asked[]> {
  const isAsked = (v: unknown): v is Asked =>
    typeof v === 'object' &&
    v !== null &&
    'key' in v &&
    'owner' in v &&
    typeof v.key === 'string' &&
    typeof v.owner === 'string';
  if (Array.isArray(value) && value.every(isAsked)) return ok(value);
  return err(invalid('moves', value, 'is not what an agent wrote', 'a list of {key, owner}'));
}
