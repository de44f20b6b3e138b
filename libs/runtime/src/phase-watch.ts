import { type Clock, type MigrationId } from '#kernel';
import { allowanceOf, hasEnded, type Migration } from '#domain';

/**
 * How long running migrations have stood in their phases, by a clock that nobody sets. What was there before it was
 * looked at stands from then on: what hosts had to say while nobody listened is heard first.
 */
export class PhaseWatch {
  readonly #since = new Map<MigrationId, { readonly episode: number; readonly at: number }>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  saw(migration: Migration): void {
    const { id, episode, phase } = migration;
    if (hasEnded(phase)) this.#since.delete(id);
    else if (this.#since.get(id)?.episode !== episode)
      this.#since.set(id, { episode, at: this.clock.monotonic() });
  }

  /** All that run, at present; of others nothing more is known. */
  sawAll(running: readonly Migration[]): void {
    for (const migration of running) this.saw(migration);
    if (this.#since.size === running.length) return;
    const ids = new Set(running.map(({ id }) => id));
    for (const id of this.#since.keys()) if (!ids.has(id)) this.#since.delete(id);
  }

  /** ms in the present episode; 0: it has not been seen yet. */
  stood({ id, episode }: Pick<Migration, 'id' | 'episode'>): number {
    const since = this.#since.get(id);
    return since?.episode === episode ? this.clock.monotonic() - since.at : 0;
  }

  isOverdue(migration: Migration): boolean {
    const allowance = allowanceOf(migration);
    return allowance !== null && this.stood(migration) >= allowance;
  }
}
