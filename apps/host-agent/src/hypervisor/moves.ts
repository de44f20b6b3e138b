import { err, invalid, ok, unwrap, type MigrationId, type Result } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type StateDir } from '../state/state-dir.js';
import { type MigrationOutcome } from './hypervisor.js';

/** An order that a hypervisor was asked to carry out, or may have been. */
export interface Asked {
  readonly key: string;
  readonly owner: string;
  /**
   * What QEMU said of its last migration just before (`lookKey`). Absent: that there was none, or nobody looked.
   * Of libvirt: how the guest was on its way by somebody else's word, `leaving` or `left`. Absent: it was here.
   */
  readonly before?: string;
}

/**
 * Which orders this host's hypervisor was asked for. On disk before it is: a run that finds an order here looks how it
 * went, and one that does not knows that nothing was done about it.
 */
export class Moves {
  readonly #asked: Map<string, Asked>;

  constructor(
    private readonly keep: (asked: readonly Asked[]) => Promise<void>,
    restored: readonly Asked[],
  ) {
    this.#asked = new Map(restored.map((asked) => [asked.key, asked]));
  }

  of(order: Move): Asked | undefined {
    const asked = this.#asked.get(moveKey(order)) ?? this.#asked.get(attemptKey(order));
    return asked?.owner === order.owner ? asked : undefined;
  }

  /** The keys of orders, as they are remembered here. */
  keysOf(orders: readonly MigrationOrder[]): ReadonlySet<string> {
    return new Set(orders.map((order) => this.of(order)?.key ?? moveKey(order)));
  }

  has(order: MigrationOrder): boolean {
    return this.of(order) !== undefined;
  }

  /** Whether any attempt of the migration was asked for. */
  knows(migration: MigrationId): boolean {
    return [...this.#asked.keys()].some((key) => key.startsWith(`${migration}/`));
  }

  get all(): readonly Asked[] {
    return [...this.#asked.values()];
  }

  /** Rejects when the disk did not take it: then nothing may be asked. */
  async add(order: MigrationOrder, before?: string): Promise<void> {
    const known = this.of(order);
    const key = known?.key ?? moveKey(order);
    if (known !== undefined && known.before === before) return;
    this.#asked.set(key, { key, owner: order.owner, ...(before === undefined ? {} : { before }) });
    try {
      await this.keep(this.all);
    } catch (cause) {
      if (known === undefined) this.#asked.delete(key);
      else this.#asked.set(key, known);
      throw cause;
    }
  }

  async drop(key: string): Promise<void> {
    if (this.#asked.delete(key)) await this.keep(this.all);
  }
}

type AttemptOf = Pick<MigrationOrder, 'migration' | 'attempt'>;
export type Move = AttemptOf & Pick<MigrationOrder, 'owner' | 'destination'>;

/** By which agents before `moveKey` remembered orders. */
export const attemptKey = ({ migration, attempt }: AttemptOf): string => `${migration}/${attempt}`;

/** A log that lost its end may use a migration's id again, for another guest or another destination. */
export const moveKey = (order: Move): string => `${attemptKey(order)}/${order.destination}/${order.owner}`;

/** What a word on an order says of it. */
export const aboutOrder = ({ migration, attempt, owner, destination }: Move): Move => ({
  migration,
  attempt,
  owner,
  destination,
});

/** What a hypervisor says of an order. */
export const wordOn = (
  order: Move,
  outcome: MigrationOutcome['outcome'],
  reason?: string,
): MigrationOutcome => ({ ...aboutOrder(order), outcome, ...(reason === undefined ? {} : { reason }) });

/** With what an earlier run asked for. Throws if that can't be read. */
export async function movesOnDisk(disk: Pick<StateDir, 'read' | 'write'>): Promise<Moves> {
  const saved = unwrap(await disk.read('moves'));
  const restored = saved === undefined ? [] : unwrap(parseAsked(saved));
  return new Moves((asked) => disk.write('moves', asked), restored);
}

/** What an earlier run left on disk. */
export function parseAsked(value: unknown): Result<readonly Asked[]> {
  const isAsked = (v: unknown): v is Asked =>
    typeof v === 'object' &&
    v !== null &&
    'key' in v &&
    'owner' in v &&
    typeof v.key === 'string' &&
    typeof v.owner === 'string' &&
    (!('before' in v) || typeof v.before === 'string');
  if (Array.isArray(value) && value.every(isAsked)) return ok(value);
  return err(invalid('moves', value, 'is not what an agent wrote', 'a list of {key, owner, before}'));
}
