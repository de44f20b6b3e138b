import { type Virsh } from './virsh.js';

/** The pass that begins when all memory was copied once. */
const SECOND_PASS = 2;

/**
 * Has the guest go on at its destination once its memory was copied once, and fetch the rest from here. virsh could do it by
 * itself (`--postcopy-after-precopy`), but it knows nothing of a destination that is not ready, and ends with the agent.
 */
export class PostCopy {
  /** The guest of which all was copied once. */
  #copied: string | null = null;
  #isReleased = false;
  #isAsked = false;

  constructor(private readonly virsh: Virsh) {}

  release(): void {
    this.#isReleased = true;
    void this.#switch();
  }

  /** `detail` of a `migration-iteration`. */
  passes(uuid: string, detail: string): void {
    const pass = Number(/^iteration: '(\d{1,9})'$/.exec(detail)?.[1] ?? 0);
    if (pass < SECOND_PASS) return;
    this.#copied = uuid;
    void this.#switch();
  }

  async #switch(): Promise<void> {
    if (!this.#isReleased || this.#copied === null || this.#isAsked) return;
    this.#isAsked = true;
    const asked = await this.virsh.run(['migrate-postcopy', this.#copied]);
    // It has gone by itself, or was called off; else the next pass is another occasion.
    this.#isAsked = asked.ok;
  }
}
