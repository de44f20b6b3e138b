import { type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type MigrationOutcome, type MovingGuest, type Traffic } from '../hypervisor.js';
import { aboutOrder } from '../moves.js';

/** Whether a guest runs here or has left, as far as libvirt can tell. */
export type Presence = 'runs' | 'left' | 'unknown';

interface Parts {
  presence(owner: string): Presence;
  /** Whether it is this host's order: then whoever carries it out listens. */
  isOrdered(migration: MigrationId): boolean;
  /** Whether somebody else had begun to move the guest when it was ordered. */
  isTheirs(sent: Sent): boolean;
  tell(outcome: MigrationOutcome): void;
}

type Sent = Pick<MigrationOutcome, 'migration' | 'attempt' | 'owner' | 'destination'>;

/** Of guests that were sent away, the last ones. */
const REMEMBERED = 1_000;

/**
 * What libvirt knows of moves that this host was not asked to make: that a guest runs here which is awaited, and that
 * one has left which somebody else sends away. The data plane switches by the guest's first frame; this is for a guest
 * that says nothing, and for a source that can't tell any more how it ended. And of any move away from here for how long
 * the guest stood still, which is told last: when the documents may say nothing of it any more.
 */
export class Witness {
  #moving: readonly MovingGuest[] = [];
  /** Of migrations that were told to be on their way here; anybody else's is attempt 0. */
  #attempts = new Map<MigrationId, number>();
  #told = new Set<MigrationId>();
  /** By owner. */
  readonly #sent = new Map<string, Sent>();

  constructor(private readonly parts: Parts) {}

  follow({ arrivals, moving }: Traffic): void {
    const now = new Set(moving.map((guest) => guest.migration));
    for (const { migration, attempt } of arrivals) this.#attempts.set(migration, attempt);
    for (const known of this.#attempts.keys()) if (!now.has(known)) this.#attempts.delete(known);
    for (const known of this.#told) if (!now.has(known)) this.#told.delete(known);
    this.#moving = moving;
    for (const { owner, migration, from } of moving)
      if (from && this.#sent.get(owner)?.migration !== migration)
        this.#keep(owner, { migration, attempt: 0 });
    this.look();
  }

  /** By these orders. */
  sent(orders: readonly MigrationOrder[]): void {
    for (const order of orders) this.#keep(order.owner, aboutOrder(order));
  }

  /** A guest that left, by any of its names. */
  paused(owners: readonly string[], pauseMs: number): void {
    for (const owner of owners) {
      const sent = this.#sent.get(owner);
      if (sent !== undefined && !this.parts.isTheirs(sent))
        this.parts.tell({ ...sent, outcome: 'completed', pauseMs });
    }
  }

  #keep(owner: string, sent: Sent): void {
    this.#sent.delete(owner);
    this.#sent.set(owner, sent);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
  }

  /** A guest may be somewhere else than it was. */
  look(): void {
    for (const { migration, owner, from } of this.#moving) {
      if (this.#told.has(migration) || this.parts.isOrdered(migration)) continue;
      if (this.parts.presence(owner) !== (from ? 'left' : 'runs')) continue;
      this.#told.add(migration);
      this.parts.tell({ migration, attempt: this.#attempts.get(migration) ?? 0, outcome: 'completed' });
    }
  }
}
