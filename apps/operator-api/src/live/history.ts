import { type Clock } from '#kernel';
import { type Port, type State } from '#domain';
import { type Telemetry } from '#contracts';
import { type PortHistory } from '#contracts/http';
import { sumOf } from '../views/counters.js';
import { portTotals, untold } from '../views/ledger.js';
import { iso } from '../views/time.js';
import { type LiveStore } from './live-store.js';

/** Points of a port: an hour of minutes. */
const LENGTH = 60;
/** Time, packets and bytes in, packets and bytes out. */
const WIDTH = 5;
/** Ports that are remembered: 50 MB at most. */
const MOST_PORTS = 20_000;

interface Ring {
  readonly values: Float64Array;
  readonly hosts: string[];
  /** How many were ever put in. */
  count: number;
  lastAt: number;
}

/**
 * What the ledgers of ports came to over the last hour. A point is a total over every host that the port was on, so it
 * follows the VM and never falls. Not in the log, which keeps what must not be lost: a new process begins anew.
 */
export class History {
  private readonly rings = new Map<string, Ring>();

  constructor(
    private readonly live: LiveStore,
    private readonly clock: Clock,
    private readonly stepMs: number = 60_000,
  ) {}

  take(state: State, { host, counters }: Telemetry): void {
    const now = this.clock.now();
    for (const { port: id } of counters) {
      const port = state.ports.get(id);
      // The host that it is on speaks for it: another may tell what it is yet to hand in.
      if (port?.active?.host !== host) continue;
      const ring = this.rings.get(id) ?? this.begin(id, now);
      if (ring !== undefined && !(Math.abs(now - ring.lastAt) < this.stepMs)) this.put(ring, port, now);
    }
  }

  of(port: string): PortHistory {
    const ring = this.rings.get(port);
    const points: PortHistory['points'] = [];
    const first = ring === undefined ? 0 : Math.max(0, ring.count - LENGTH);
    for (let i = first; i < (ring?.count ?? 0); i++) points.push(pointOf(ring!, i % LENGTH));
    return { port, stepSeconds: this.stepMs / 1000, points };
  }

  /** Undefined: as many as can be are remembered, and all of them still count. */
  private begin(id: string, now: number): Ring | undefined {
    if (this.rings.size >= MOST_PORTS) {
      const [oldest, ring] = this.rings.entries().next().value!;
      if (Math.abs(now - ring.lastAt) < LENGTH * this.stepMs) return undefined;
      this.rings.delete(oldest);
    }
    const ring = { values: new Float64Array(LENGTH * WIDTH), hosts: [], count: 0, lastAt: -Infinity };
    this.rings.set(id, ring);
    return ring;
  }

  private put(ring: Ring, port: Port, now: number): void {
    // While a segment is open whose host says nothing, the total lacks it.
    if (untold(port, this.live).length > 0) return;
    const totals = portTotals(port, this.live);
    const [sent, got] = [sumOf(totals.in), sumOf(totals.out)];
    const place = ring.count % LENGTH;
    ring.values.set([now, sent.packets, sent.bytes, got.packets, got.bytes], place * WIDTH);
    ring.hosts[place] = port.active?.host ?? '';
    ring.count += 1;
    ring.lastAt = now;
    // The map's order is that of the newest points.
    this.rings.delete(port.id);
    this.rings.set(port.id, ring);
  }
}

function pointOf({ values, hosts }: Ring, place: number): PortHistory['points'][number] {
  const at = (i: number): number => values[place * WIDTH + i] ?? 0;
  return {
    time: iso(at(0)),
    host: hosts[place] ?? '',
    in: { packets: at(1), bytes: at(2) },
    out: { packets: at(3), bytes: at(4) },
  };
}
