import { zonesOf, type Compiled } from '#compiler';
import { type Observation, type Step } from '#openflow';

/**
 * Zones of conntrack in which connections of ports may be. One whose flows are taken out is flushed with them; but a
 * bridge that goes takes its flows along by itself, by our hand or by another's, and leaves the connections: whoever gets
 * the zone next would have them.
 */
export class Zones {
  readonly #used = new Set<number>();

  /** None of these is given to another port. */
  get used(): ReadonlySet<number> {
    return this.#used;
  }

  add(zones: Iterable<number>): void {
    for (const zone of zones) this.#used.add(zone);
  }

  /** Those that nobody wants any more and no flow stands for: nothing brings their connections back. */
  left(compiled: Compiled, have: Observation): readonly number[] {
    const wanted = wantedBy(compiled);
    const gone = [...this.#used].filter((zone) => !wanted.has(zone));
    if (gone.length === 0) return gone;
    const standing = new Set(have.bridges.flatMap((b) => zonesOf(b.flows.map(({ flow }) => flow))));
    return gone.filter((zone) => !standing.has(zone));
  }

  /** This is about to be carried out. */
  planned(compiled: Compiled): void {
    this.add(wantedBy(compiled));
  }

  /** It was. */
  carriedOut(compiled: Compiled, steps: readonly Step[]): void {
    const wanted = wantedBy(compiled);
    for (const step of steps)
      for (const { zone } of step.kind === 'flush' ? step.connections : [])
        if (zone !== undefined && !wanted.has(zone)) this.#used.delete(zone);
  }
}

/** Asked thrice in a pass. */
const known = new WeakMap<Compiled, ReadonlySet<number>>();

function wantedBy(compiled: Compiled): ReadonlySet<number> {
  let zones = known.get(compiled);
  if (zones === undefined) {
    zones = new Set(compiled.bindings.flatMap(({ zone }) => zone ?? []));
    known.set(compiled, zones);
  }
  return zones;
}
