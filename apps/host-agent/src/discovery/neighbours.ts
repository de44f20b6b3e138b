import { type Lldpdu } from './lldp.js';

interface Held {
  readonly said: Lldpdu;
  readonly until: number;
}

/** What one cable can have at its other end at most: more are only behind a repeater. */
const MOST = 8;

/** Who is at the other end of each uplink, for as long as they said that it holds. */
export class Neighbours {
  /** By place, then by chassis and port; in the order in which they were first heard. */
  readonly #heard = new Map<string, Map<string, Held>>();

  /** `monotonic`: milliseconds of a clock that nobody sets. */
  constructor(private readonly monotonic: () => number) {}

  hear(place: string, said: Lldpdu): void {
    const here = this.#here(place);
    const key = JSON.stringify([said.chassis, said.port]);
    if (said.ttl === 0) here.delete(key);
    else if (here.has(key) || here.size < MOST)
      here.set(key, { said, until: this.monotonic() + said.ttl * 1_000 });
    this.#heard.set(place, here);
  }

  /** Whom it has had the longest, and how many more there are. */
  at(place: string): (Lldpdu & { readonly others: number }) | null {
    const [first, ...others] = this.#here(place).values();
    return first === undefined ? null : { ...first.said, others: others.length };
  }

  /** A cable that was pulled leads to nobody, whatever was said before. */
  forgetAllBut(places: ReadonlySet<string>): void {
    for (const place of this.#heard.keys()) if (!places.has(place)) this.#heard.delete(place);
  }

  #here(place: string): Map<string, Held> {
    const now = this.monotonic();
    return new Map([...(this.#heard.get(place) ?? [])].filter(([, { until }]) => until > now));
  }
}
