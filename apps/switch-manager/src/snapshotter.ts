import { type DomainEvent, type State } from '#domain';
import { toSnapshot, type Follower, type SnapshotRules, type SnapshotStore } from '#event-store';

/** Writes a snapshot every so many commits, and one at the end, so that the next start reads little of the log. */
export class Snapshotter {
  #since = 0;
  #writing: Promise<void> | undefined;
  readonly #stop: () => void;

  constructor(
    private readonly follower: Follower<State, DomainEvent>,
    private readonly rules: SnapshotRules<State> & { readonly store: SnapshotStore },
    private readonly every: number,
    private readonly onFault: (cause: unknown) => void,
  ) {
    this.#stop = follower.onCommit(() => {
      this.#since += 1;
      // While one is written the next waits: a state held for each that is due could be more than there is room for.
      if (this.#since >= this.every && this.#writing === undefined) this.#write();
    });
  }

  async close(): Promise<void> {
    this.follower.settle();
    this.#stop();
    await this.#writing;
    if (this.#since > 0) this.#write();
    await this.#writing;
  }

  #write(): void {
    const captured = this.follower.capture();
    if (captured === undefined) return;
    this.#since = 0;
    this.#writing = this.rules.store
      .save(toSnapshot(captured, this.rules))
      .catch(this.onFault)
      .finally(() => (this.#writing = undefined));
  }
}
