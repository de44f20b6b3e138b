import { type MigrationOutcome, type MovingGuest } from '../hypervisor.js';
import { type Machine } from './machine.js';
import { UNDER_WAY } from './verdict.js';

type Word = MigrationOutcome['outcome'];

interface Parts {
  machineOf(owner: string): Machine | null;
  /** Whether the agent asked for this migration: then whoever asked listens. */
  isOurs(guest: MovingGuest): boolean;
  tell(outcome: MigrationOutcome): void;
}

/**
 * Guests that somebody else moves, by the word of their QEMUs at either end: for a guest that is silent there is no
 * other, and of a move that is given up it is the first.
 *
 * | QEMU | at the source | at the destination |
 * | --- | --- | --- |
 * | migrates | `started` | |
 * | `completed` | `completed`, when the guest is gone | `completed`, when the guest runs |
 * | `failed`, `cancelled` | `failed`, `aborted`, if it was heard just now | |
 *
 * QEMU keeps how its last migration ended: what it says of a failure when it is only looked at may be an older one's.
 */
export class Witness {
  #guests: readonly MovingGuest[] = [];
  /** By migration. */
  #said = new Map<string, Word>();

  constructor(private readonly parts: Parts) {}

  /** Every guest that the documents say is on its way from here or to here. */
  follow(guests: readonly MovingGuest[]): void {
    this.#guests = guests;
    const now = new Set<string>(guests.map((g) => g.migration));
    for (const id of this.#said.keys()) if (!now.has(id)) this.#said.delete(id);
    for (const guest of guests) {
      const machine = this.parts.machineOf(guest.owner);
      if (machine !== null) void this.#look(guest, machine);
    }
  }

  /** Something changed at this QEMU, or its monitor is there again. */
  look(machine: Machine): void {
    for (const guest of this.#of(machine)) void this.#look(guest, machine);
  }

  /** What QEMU says of a migration, as it happens. */
  heard(machine: Machine, status: string): void {
    if (status !== 'failed' && status !== 'cancelled') return this.look(machine);
    for (const guest of this.#of(machine)) if (guest.from) void this.#gaveUp(guest, machine, status);
  }

  #of(machine: Machine): readonly MovingGuest[] {
    return this.#guests.filter((g) => g.owner === machine.name);
  }

  async #look(guest: MovingGuest, machine: Machine): Promise<void> {
    if (this.parts.isOurs(guest) || !machine.isConnected) return;
    const [look, state] = [await machine.lookAtMigration(), await machine.lookAtRunState()];
    if (!look.ok || !state.ok) return;
    const { status, pauseMs } = look.value;
    if (guest.from && UNDER_WAY.has(status)) return this.#tell(guest, 'started');
    const isThere = guest.from ? 'postmigrate' : 'running';
    if (status === 'completed' && state.value === isThere)
      this.#tell(guest, 'completed', pauseMs === undefined ? {} : { pauseMs });
  }

  async #gaveUp(guest: MovingGuest, machine: Machine, status: 'failed' | 'cancelled'): Promise<void> {
    if (this.parts.isOurs(guest)) return;
    const look = await machine.lookAtMigration();
    const why = look.ok ? look.value.reason?.slice(0, 300) : undefined;
    if (status === 'failed') this.#tell(guest, 'failed', { reason: why ?? 'QEMU gave no reason' });
    else this.#tell(guest, 'aborted', { reason: 'it was called off by hand' });
  }

  #tell(guest: MovingGuest, outcome: Word, more: Pick<MigrationOutcome, 'reason' | 'pauseMs'> = {}): void {
    const { migration } = guest;
    const isStill = this.#guests.some((g) => g.migration === migration);
    if (!isStill || this.#said.get(migration) === outcome) return;
    this.#said.set(migration, outcome);
    this.parts.tell({ migration, attempt: 0, outcome, ...more });
  }
}
