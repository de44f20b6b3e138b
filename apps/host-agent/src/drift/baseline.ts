import { keptSettings, type KeptSettings, type ObservedInterface, type PortBaseline } from '#openflow';

/**
 * How the rows of ports looked when they were first seen. What a hypervisor sets as it plugs is its own; what is set
 * later was done by hand. An agent that starts takes what it finds for the hypervisor's.
 */
export class Baseline {
  #first: ReadonlyMap<string, KeptSettings> = new Map();
  #followed: readonly ObservedInterface[] = [];

  /** The ports that stand now; those that went are forgotten, as whoever plugs them again begins anew. */
  follow(interfaces: readonly ObservedInterface[]): PortBaseline {
    if (interfaces === this.#followed) return this.#first;
    this.#followed = interfaces;
    this.#first = new Map(
      interfaces.map((row) => {
        const key = `${row.bridge}/${row.port ?? row.name}`;
        return [key, this.#first.get(key) ?? keptSettings(row)];
      }),
    );
    return this.#first;
  }
}
