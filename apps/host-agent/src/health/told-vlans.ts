import { type Lineage } from '#kernel';
import { type Fact } from '#domain';
import { type Checker } from './checker.js';

/**
 * Tells the log of VLANs that don't get through by an uplink: whether a guest may be moved here depends on it. Of each
 * uplink once, when it is known for the first time, and again when it is another.
 */
export class ToldVlans {
  readonly #told = new Map<string, string>();
  #lineage: Lineage | null = null;

  constructor(private readonly record: (fact: Fact) => void) {}

  /** The log came back older: what it had been told may be lost. */
  of(lineage: Lineage): void {
    if (this.#lineage !== lineage) this.#told.clear();
    this.#lineage = lineage;
  }

  tell(checkers: ReadonlyMap<string, Pick<Checker, 'missing'>>): void {
    for (const [name, checker] of checkers)
      for (const [uplink, missing] of checker.missing() ?? []) {
        const key = `${name} ${uplink}`;
        if (this.#told.get(key) === missing.join()) continue;
        this.#told.set(key, missing.join());
        this.record({ type: 'UplinkVlans', switch: name, uplink, missing });
      }
  }
}
