import { type Clock } from '#kernel';
import { type CompiledBinding } from '#compiler';
import { type Action, type Driver } from '#openflow';
import { rarpFrame } from './rarp.js';

/** Where a binding is from now on. */
export interface Place {
  readonly bridge: string;
  /** OpenFlow number of the uplink, or what is done to leave by it. */
  readonly to: number | readonly Action[];
}

/** A frame may be lost, and a link that just came up may not pass any yet. */
const AGAIN_MS = [200, 1_000] as const;

/**
 * Tells the switches outside by which uplink a port's addresses are reached now, in each of its VLANs. One frame after
 * the other, each when the switch has taken the one before: a trunk has thousands, and its guest's own frames matter
 * more. What is told of a port ends what was still to be told of it.
 */
export class Announcer {
  readonly #due = new Map<string, { readonly binding: CompiledBinding; readonly place: Place }>();
  readonly #again = new Map<string, () => void>();
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #closed = false;

  constructor(
    private readonly driver: Pick<Driver, 'packetOut'>,
    private readonly clock: Pick<Clock, 'after'>,
    private readonly failed: (key: string, cause: unknown) => void,
  ) {}

  tell(key: string, binding: CompiledBinding, place: Place, times: readonly number[] = AGAIN_MS): void {
    this.forget(key);
    if (this.#closed) return;
    this.#due.set(key, { binding, place });
    const [ms, ...later] = times;
    if (ms !== undefined)
      this.#again.set(
        key,
        this.clock.after(ms, () => this.tell(key, binding, place, later)),
      );
    if (!this.#busy) this.#running = this.#run();
  }

  forget(key: string): void {
    this.#again.get(key)?.();
    this.#again.delete(key);
    this.#due.delete(key);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const key of [...this.#again.keys(), ...this.#due.keys()]) this.forget(key);
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      for (let next = first(this.#due); next !== undefined; next = first(this.#due)) {
        const [key, due] = next;
        try {
          await this.#send(key, due.binding, due.place);
        } catch (cause) {
          this.failed(key, cause);
        }
        if (this.#due.get(key) === due) this.#due.delete(key);
      }
    } finally {
      this.#busy = false;
    }
  }

  async #send(key: string, { carried }: CompiledBinding, { bridge, to: way }: Place): Promise<void> {
    const due = this.#due.get(key);
    for (const { from, to } of carried?.tags ?? [])
      for (let vlan = from; vlan <= to; vlan += 1)
        for (const mac of carried?.macs ?? []) {
          if (this.#due.get(key) !== due) return;
          await this.driver.packetOut(bridge, way, rarpFrame(mac, vlan));
        }
  }
}

const first = <K, V>(map: ReadonlyMap<K, V>): [K, V] | undefined => map.entries().next().value;
