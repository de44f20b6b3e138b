import { type Clock } from '#kernel';
import { lldpFrame, type Advertisement } from './advertisement.js';

/** An uplink that is told of, and where its frames leave. */
export interface Told extends Advertisement {
  readonly bridge: string;
  readonly ofport: number;
  readonly intervalSeconds: number;
}

interface Parts {
  readonly clock: Pick<Clock, 'after'>;
  /** From 0 to 1. */
  random(): number;
  send(bridge: string, ofport: number, frame: Uint8Array): Promise<void>;
  failed(told: Told, cause: unknown): void;
}

/** What the standard proposes: one that is lost, or late, is no reason to forget the neighbour. */
const HOLD = 4;
const LONGEST = 65_535;

/** Tells of uplinks again and again, at once when there is news, and takes it back in the end. */
export class Advertiser {
  readonly #told = new Map<string, { readonly what: Told; readonly stop: () => void }>();

  constructor(private readonly parts: Parts) {}

  /** These by their keys, and no others. */
  become(wanted: ReadonlyMap<string, Told>): void {
    for (const [key, { what, stop }] of this.#told) {
      const next = wanted.get(key);
      if (next !== undefined && same(next, what)) continue;
      stop();
      this.#told.delete(key);
      if (next === undefined || !sameName(next, what)) void this.#takeBack(what);
    }
    for (const [key, what] of wanted) if (!this.#told.has(key)) this.#tell(key, what);
  }

  async close(): Promise<void> {
    const all = [...this.#told.values()];
    this.#told.clear();
    for (const { stop } of all) stop();
    await Promise.all(all.map(({ what }) => this.#takeBack(what)));
  }

  #tell(key: string, what: Told): void {
    const ttl = Math.min(LONGEST, what.intervalSeconds * HOLD + 1);
    void this.#send(what, ttl);
    // Not all hosts of a rack at the same moment.
    const ms = what.intervalSeconds * 1_000 * (0.8 + 0.2 * this.parts.random());
    const stop = this.parts.clock.after(ms, () => this.#tell(key, what));
    this.#told.set(key, { what, stop });
  }

  #takeBack(what: Told): Promise<void> {
    return this.#send(what, 0);
  }

  async #send(what: Told, ttl: number): Promise<void> {
    try {
      await this.parts.send(what.bridge, what.ofport, lldpFrame(what, ttl));
    } catch (cause) {
      this.parts.failed(what, cause);
    }
  }
}

const sameName = (a: Told, b: Told): boolean =>
  a.host === b.host && a.device === b.device && a.bridge === b.bridge && a.ofport === b.ofport;

const same = (a: Told, b: Told): boolean =>
  sameName(a, b) &&
  a.switch === b.switch &&
  a.uplink === b.uplink &&
  a.intervalSeconds === b.intervalSeconds &&
  a.mac === b.mac;
