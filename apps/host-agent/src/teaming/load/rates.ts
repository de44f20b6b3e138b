import { type PortStats } from '#openflow';
import { type Traffic } from './balance.js';

interface Counted {
  readonly at: number;
  readonly ports: ReadonlyMap<number, { readonly rx: bigint; readonly tx: bigint }>;
}

/** What passed the ports of each bridge between two readings of their counts. */
export class Rates {
  readonly #last = new Map<string, Counted>();

  /** Bit/s by port since the last reading, seen from the switch; ports that are new, or whose counts fell, are left out. */
  since(bridge: string, at: number, stats: readonly PortStats[]): ReadonlyMap<number, Traffic> {
    const before = this.#last.get(bridge);
    const ports = new Map(stats.map((s) => [s.number, { rx: s.rxBytes, tx: s.txBytes }]));
    this.#last.set(bridge, { at, ports });
    const rates = new Map<number, Traffic>();
    const ms = at - (before?.at ?? at);
    if (ms <= 0) return rates;
    for (const [number, { rx, tx }] of ports) {
      const was = before?.ports.get(number);
      if (was === undefined || rx < was.rx || tx < was.tx) continue;
      const perSecond = (bytes: bigint): number => (Number(bytes) * 8_000) / ms;
      rates.set(number, { sent: perSecond(tx - was.tx), received: perSecond(rx - was.rx) });
    }
    return rates;
  }

  forget(): void {
    this.#last.clear();
  }
}
