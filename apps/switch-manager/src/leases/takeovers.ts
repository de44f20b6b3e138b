import { type Clock, type HostName, type Revision } from '#kernel';
import { LEASE, surelyIsolates, type DomainEvent, type State } from '#domain';
import { type Leases } from './leases.js';

export interface TakeoverParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly leases: Pick<Leases, 'left' | 'sealed'>;
  readonly isSuspect: (host: HostName) => boolean;
  readonly state: () => State;
  /** What a host is known to have realised; null: not known. */
  readonly realised: (host: HostName) => Revision | null;
  /** False: not now. */
  readonly takeOver: (host: HostName, reason: string) => Promise<boolean>;
}

/** Before a takeover that could not be decided, or a host that is slow to be missed, is looked at again. */
const AGAIN_MS = 1_000;

/** Has ports of groups that isolate taken over as soon as the switch of their lost host has certainly closed them. */
export class Takeovers {
  #cancel: () => void = () => undefined;
  #busy = false;
  #closed = false;

  constructor(private readonly parts: TakeoverParts) {}

  /** At the beginning of a term: what waited under another leader waits on. */
  begin(): void {
    this.#look();
  }

  committed(events: readonly DomainEvent[]): void {
    if (events.some((e) => e.type === 'PortClaimed' || e.type === 'RevisionRealised')) this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #look(): void {
    if (this.#closed || this.#busy) return;
    this.#cancel();
    const waits = [...this.#lost()].map((host) => this.#wait(host));
    if (waits.length > 0)
      this.#cancel = this.parts.clock.after(Math.min(...waits), () => void this.#takeOver());
  }

  #wait(host: HostName): number {
    const left = this.parts.leases.left(host);
    return left > 0 || this.parts.isSuspect(host) ? left : AGAIN_MS;
  }

  async #takeOver(): Promise<void> {
    this.#busy = true;
    const { leases, isSuspect } = this.parts;
    let failed = false;
    for (const host of this.#lost()) {
      if (this.#closed) return;
      if (leases.left(host) > 0 || !isSuspect(host)) continue;
      const reason = `${host} had no lease for ${LEASE.boundMs / 1000} s: its switch has closed the port by itself`;
      failed = !(await leases.sealed(host, () => this.parts.takeOver(host, reason))) || failed;
    }
    this.#busy = false;
    if (failed && !this.#closed) this.#cancel = this.parts.clock.after(AGAIN_MS, () => this.#look());
    else this.#look();
  }

  /** Hosts whose ports others wait for, where groups isolate and they know it. */
  #lost(): ReadonlySet<HostName> {
    const state = this.parts.state();
    const lost = new Set<HostName>();
    for (const { claims = [] } of state.hosts.values())
      for (const id of claims) {
        const port = state.ports.get(id);
        if (!port?.claim || !port.active) continue;
        const { host } = port.active;
        if (surelyIsolates(state, port, this.parts.realised(host) ?? 0)) lost.add(host);
      }
    return lost;
  }
}
