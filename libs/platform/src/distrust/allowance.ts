import { type Clock } from '#kernel';

/** How much one host may send: pieces at once, pieces a second after that, and how many bytes count as one more. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
  readonly pieceBytes: number;
}

/** Far above what an honest agent sends, far below what would keep a manager from its work. */
export const RATES = {
  /** Ten thousand facts of an hour, delivered at once, are some 600 pieces. */
  facts: { burst: 3_000, perSecond: 20, pieceBytes: 4_096 },
  /** A reporter coalesces to 200 a second at most. */
  report: { burst: 500, perSecond: 250, pieceBytes: 16_384 },
  /** A hundred ports that leave at once with two thousand connections each. */
  connections: { burst: 800, perSecond: 100, pieceBytes: 65_536 },
  lease: { burst: 60, perSecond: 5, pieceBytes: 4_096 },
  telemetry: { burst: 200, perSecond: 20, pieceBytes: 65_536 },
} as const satisfies Readonly<Record<string, Rate>>;

interface Purse {
  pieces: number;
  at: number;
}

/** One rate for each of many hosts: who sends too much is not read any more, and the others are. */
export class Allowance {
  private readonly purses = new Map<string, Purse>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly rate: Rate,
  ) {}

  /** Whether a message of so many bytes may be looked at; it is paid for then. */
  allows(host: string, bytes: number): boolean {
    const { burst, perSecond, pieceBytes } = this.rate;
    const now = this.clock.monotonic();
    const before = this.purses.get(host) ?? { pieces: burst, at: now };
    const pieces = Math.min(burst, before.pieces + ((now - before.at) / 1_000) * perSecond);
    const cost = 1 + bytes / pieceBytes;
    const isAllowed = pieces >= cost;
    this.purses.set(host, { pieces: isAllowed ? pieces - cost : pieces, at: now });
    return isAllowed;
  }
}
