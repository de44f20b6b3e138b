import { type Clock } from '#kernel';
import { type Virsh } from './virsh.js';

/** MiB/s: what libvirt may copy while the destination is not ready. */
const SLOWLY = 1;
const AGAIN_MS = 500;

/**
 * Keeps a guest from being switched until the destination has its interfaces and their policy. libvirt plugs them there
 * when the migration begins and can't be told to wait, so it copies slowly until then. If nobody says that it may go
 * faster, a guest goes in the end all the same, unless it writes faster than it is copied.
 */
export class Hold {
  /** The guest whose memory is copied: what is set before that does not last. */
  #copied: string | null = null;
  #isReleased: boolean;
  #isSlow: boolean;
  #usual: string | null = null;
  #again: (() => void) | null = null;
  #isOver = false;

  constructor(
    private readonly virsh: Virsh,
    private readonly clock: Clock,
    isHeld: boolean,
  ) {
    this.#isSlow = isHeld;
    this.#isReleased = !isHeld;
  }

  /** MiB/s to begin with; null: as fast as libvirt is set to. */
  get speed(): number | null {
    return this.#isSlow ? SLOWLY : null;
  }

  /** MiB/s that the guest's migrations are set to. */
  known(usual: string): void {
    this.#usual = usual;
  }

  /** An earlier run of the agent began it, and may have left it slow. */
  adopted(): void {
    this.#isSlow = true;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    void this.#letGo();
  }

  copying(uuid: string): void {
    if (this.#copied === uuid) return;
    this.#copied = uuid;
    void this.#letGo();
  }

  close(): void {
    this.#isOver = true;
    this.#again?.();
  }

  async #letGo(): Promise<void> {
    const uuid = this.#copied;
    if (!this.#isSlow || !this.#isReleased || uuid === null || this.#isOver) return;
    this.#usual ??= await this.#ask(uuid);
    const set = this.#usual !== null && (await this.virsh.run(['migrate-setspeed', uuid, this.#usual])).ok;
    // libvirt may be busy with the guest; that it is left at this speed would be a move without end.
    if (!set && !this.#isOver) this.#again = this.clock.after(AGAIN_MS, () => void this.#letGo());
  }

  async #ask(uuid: string): Promise<string | null> {
    const said = await this.virsh.run(['migrate-getspeed', uuid]);
    return said.ok && /^\d{1,20}$/.test(said.value.trim()) ? said.value.trim() : null;
  }
}
