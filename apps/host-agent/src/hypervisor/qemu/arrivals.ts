import { type HostName } from '#kernel';
import { type Arrival } from '#contracts';
import { type Machine } from './machine.js';
import { attemptKey } from '../moves.js';
import { migrateUri, type QemuSettings } from './settings.js';

interface Parts {
  readonly host: HostName;
  readonly settings: QemuSettings;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  machineOf(owner: string): Machine | null;
}

/** Of one that was given a URI at its start. */
const LISTENS = /already been started/;

/**
 * Lets QEMUs that wait with `-incoming defer` listen for the guests that the documents say are sent here. Any other one
 * refuses, and is asked once in the life of its connection.
 */
export class Arrivals {
  #expected: readonly Arrival[] = [];
  #asked = new WeakMap<Machine, string>();

  constructor(private readonly parts: Parts) {}

  follow(arrivals: readonly Arrival[]): void {
    this.#expected = arrivals;
    for (const arrival of arrivals) void this.#listen(arrival, this.parts.machineOf(arrival.owner));
  }

  /** Its monitor is there, maybe of another QEMU than before. */
  connected(machine: Machine): void {
    this.#asked.delete(machine);
    const arrival = this.#expected.find((a) => a.owner === machine.name);
    if (arrival !== undefined) void this.#listen(arrival, machine);
  }

  async #listen(arrival: Arrival, machine: Machine | null): Promise<void> {
    const { host, settings, log } = this.parts;
    const uri = migrateUri(settings, arrival, host);
    if (machine?.runState !== 'inmigrate' || uri === null) return;
    if (this.#asked.get(machine) === attemptKey(arrival)) return;
    this.#asked.set(machine, attemptKey(arrival));
    const asked = await machine.execute('migrate-incoming', { uri });
    const fields = { owner: arrival.owner, migration: arrival.migration, uri };
    if (asked.ok) log.info(fields, 'QEMU listens for a guest');
    else if (!LISTENS.test(asked.error.message))
      log.warn({ ...fields, reason: asked.error.message }, 'QEMU does not listen for a guest');
  }
}
