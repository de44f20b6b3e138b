import { type BindingKey } from '../../state/memory.js';

export interface LoadFigures {
  /** Milliseconds over which load is taken, and between two moves. */
  readonly intervalMs: number;
  /** Share of an uplink's speed over which ports are moved away. */
  readonly threshold: number;
  /** Share of its speed that a move has to gain. */
  readonly gain: number;
  /** Intervals that a port stays where it was moved. */
  readonly rest: number;
}

export const LOAD_FIGURES: LoadFigures = { intervalMs: 30_000, threshold: 0.75, gain: 0.05, rest: 10 };

/** Bit/s, seen from the ports: `sent` leaves the host. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

export interface UplinkLoad extends Traffic {
  readonly name: string;
  /** Bit/s in each direction. */
  readonly speed: number;
}

export interface PortLoad extends Traffic {
  readonly key: BindingKey;
  /** The uplink that carries it. */
  readonly on: string;
  /** Uplinks that may carry it. */
  readonly among: readonly string[];
}

export interface Move {
  readonly key: BindingKey;
  readonly from: string;
  readonly to: string;
}

/** The direction that has more. */
const fuller = ({ sent, received }: Traffic): keyof Traffic => (sent >= received ? 'sent' : 'received');

/** Share of the speed, in the direction that has more. */
export const loadOf = (uplink: UplinkLoad): number => uplink[fuller(uplink)] / uplink.speed;

/**
 * The busiest port, in the direction that is full, of the fullest uplink over the threshold, that helps where it goes; or
 * of the next one; null: none. A port helps where the least loaded uplink that may carry it is less full with it than its
 * own is now, by the gain: so each move goes downhill, and no row of them leads back. What a port says to ports of its
 * own host counts as if it went outside: that hides a move that would help, and never makes one that harms.
 */
export function moveFor(
  uplinks: readonly UplinkLoad[],
  ports: readonly PortLoad[],
  { threshold, gain }: Pick<LoadFigures, 'threshold' | 'gain'>,
): Move | null {
  const known = new Map(uplinks.map((uplink) => [uplink.name, uplink]));
  const full = uplinks.filter((u) => loadOf(u) > threshold).sort((a, b) => loadOf(b) - loadOf(a));
  for (const from of full) {
    const way = fuller(from);
    const here = ports
      .filter((port) => port.on === from.name && port[way] > 0)
      .sort((a, b) => b[way] - a[way]);
    for (const port of here) {
      const to = leastLoaded(port.among.flatMap((name) => known.get(name) ?? []));
      if (to === undefined || to === from) continue;
      if (loadOf(joined(to, port)) + gain <= loadOf(from))
        return { key: port.key, from: from.name, to: to.name };
    }
  }
  return null;
}

const leastLoaded = (uplinks: readonly UplinkLoad[]): UplinkLoad | undefined =>
  uplinks.reduce<UplinkLoad | undefined>(
    (least, u) => (least === undefined || loadOf(u) < loadOf(least) ? u : least),
    undefined,
  );

const joined = (uplink: UplinkLoad, { sent, received }: Traffic): UplinkLoad => ({
  ...uplink,
  sent: uplink.sent + sent,
  received: uplink.received + received,
});
