import { type Shaping } from '#domain';

/** When something happened, in milliseconds: not earlier, not later. */
export interface When {
  readonly earliest: number;
  readonly latest: number;
}

/** Least and most. */
type Range = readonly [number, number];

/** Nobody can say what becomes of a frame: it depends on when exactly it came, or on which of several came first. */
export class Undecidable extends Error {}

const BEGIN: When = { earliest: 0, latest: 0 };

/** What may pass: so much at once, and so much more in each millisecond. */
class Bucket {
  private have: Range;
  private last: When;

  constructor(
    private readonly size: number,
    private readonly perMs: number,
    now: When,
  ) {
    this.have = [size, size];
    this.last = now;
  }

  /** Whether it has that much left, which is taken then. What is dropped takes nothing. */
  take(cost: number, now: When): boolean {
    const [low, high] = this.have;
    const shortest = Math.max(0, now.earliest - this.last.latest);
    const longest = Math.max(0, now.latest - this.last.earliest);
    this.last = now;
    const filled: Range = [
      Math.min(this.size, low + shortest * this.perMs),
      Math.min(this.size, high + longest * this.perMs),
    ];
    this.have = filled;
    if (filled[1] < cost) return false;
    if (filled[0] < cost) throw new Undecidable('how full a bucket is depends on the moment');
    this.have = [filled[0] - cost, filled[1] - cost];
    return true;
  }
}

/** Buckets of one switch of a host, by what they are of. */
export class Limits {
  private readonly buckets = new Map<string, Bucket>();
  /** What is dealt with now. */
  now: When = BEGIN;
  /** What the buckets said to copies of one frame, in whatever order these are handed out. */
  private said: Map<string, boolean> | undefined;

  /** Of a rule: packets, or kbit. */
  rate(key: string, rate: { unit: 'pps' | 'kbps'; rate: number; burst?: number }, octets: number): boolean {
    const burst = rate.burst ?? Math.ceil(rate.rate / 10);
    if (rate.unit === 'pps') return this.take(key, Math.max(1, burst), rate.rate / 1000, 1);
    return this.take(key, burst * 1000, rate.rate, octets * 8);
  }

  /** Bits over the average up to the burst, and never faster than the peak. */
  shape(key: string, { average, peak, burst }: Shaping, octets: number): boolean {
    const isUnderPeak =
      peak === average || this.take(`${key} peak`, (peak * PEAK_MS) / 1000, peak / 1000, octets * 8);
    return isUnderPeak && this.take(key, burst * 8, average / 1000, octets * 8);
  }

  /** Of a port's `bandwidth.limit`. */
  limit(key: string, limit: number, octets: number): boolean {
    return this.take(key, (limit * LIMIT_MS) / 1000, limit / 1000, octets * 8);
  }

  /** Copies for several: nobody says who is served first. */
  together<T>(deal: () => T): T {
    this.said = new Map();
    try {
      return deal();
    } finally {
      this.said = undefined;
    }
  }

  private take(key: string, size: number, perMs: number, cost: number): boolean {
    const bucket = this.buckets.get(key) ?? new Bucket(size, perMs, this.now);
    this.buckets.set(key, bucket);
    const passes = bucket.take(cost, this.now);
    const before = this.said?.get(key);
    if (before !== undefined && before !== passes)
      throw new Undecidable('a bucket had something left for some of the copies');
    this.said?.set(key, passes);
    return passes;
  }
}

const PEAK_MS = 10;
const LIMIT_MS = 50;
