import { type MigrationId } from '#kernel';
import { type MigrationOutcome, type MovingGuest, type Traffic } from '../hypervisor.js';

/** Whether a guest runs here or has left, as far as libvirt can tell. */
export type Presence = 'runs' | 'left' | 'unknown';

interface Parts {
  presence(owner: string): Presence;
  /** Whether it is this host's order: then whoever carries it out listens. */
  isOrdered(migration: MigrationId): boolean;
  tell(outcome: MigrationOutcome): void;
}

/**
 * What libvirt knows of moves that this host was not asked to make: that a guest runs here which is awaited, and that
 * one has left which somebody else sends away. The data plane switches by the guest's first frame; this is for a guest
 * that says nothing, and for a source that can't tell any more how it ended.
 */
export class Witness {
  #moving: readonly MovingGuest[] = [];
  /** Of migrations that were told to be on their way here; anybody else's is attempt 0. */
  #attempts = new Map<MigrationId, number>();
  #told = new Set<MigrationId>();

  constructor(private readonly parts: Parts) {}

  follow({ arrivals, moving }: Traffic): void {
    const now = new Set(moving.map((guest) => guest.migration));
    for (const { migration, attempt } of arrivals) this.#attempts.set(migration, attempt);
    for (const known of this.#attempts.keys()) if (!now.has(known)) this.#attempts.delete(known);
    for (const known of this.#told) if (!now.has(known)) this.#told.delete(known);
    this.#moving = moving;
    this.look();
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
