import { type VlanRange } from './probe.js';

interface Peer {
  readonly vlans: readonly VlanRange[];
  readonly until: number;
}

const MOST = 4_096;
const NOTHING: readonly VlanRange[] = [];

/** Other hosts of a switch, with the VLANs that they use, as they said themselves not long ago. */
export class Peers {
  readonly #peers = new Map<string, Peer>();

  constructor(private readonly monotonic: () => number) {}

  hear(host: string, vlans: readonly VlanRange[], holdMs: number): void {
    if (!this.#peers.has(host) && this.#peers.size >= MOST) this.#age();
    if (this.#peers.has(host) || this.#peers.size < MOST)
      this.#peers.set(host, { vlans, until: this.monotonic() + holdMs });
  }

  vlansOf(host: string): readonly VlanRange[] {
    return this.#peers.get(host)?.vlans ?? NOTHING;
  }

  get count(): number {
    this.#age();
    return this.#peers.size;
  }

  #age(): void {
    const now = this.monotonic();
    for (const [host, { until }] of this.#peers) if (until <= now) this.#peers.delete(host);
  }
}
