import { type Result } from '#kernel';
import { capability } from './hearing.js';
import { type Machine } from './machine.js';
import { type Asked, type Moves } from '../moves.js';
import { judge, UNDER_WAY } from './verdict.js';

interface Parts {
  readonly moves: Moves;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  machineOf(owner: string): Promise<Machine | null>;
}

/**
 * What is left of orders that stand no more: how each of them ended is in the log.
 *
 * - A QEMU whose guest is gone is of no more use, and to let it run again would make two of one guest: it is ended, as
 *   libvirt does. It is looked at anew, since somebody may have let it run.
 * - One that still copies does so against the log, which has the guest here: it is called off.
 * - What the order left set at QEMU would stop a move by hand.
 *
 * An order is forgotten only then: a run that dies in between is followed by one that looks again.
 */
export class Leftovers {
  /** Orders that stand; null: not known yet. */
  #stand: ReadonlySet<string> | null = null;
  /** Orders that are being cleared up after: whether something happened since it was looked. */
  readonly #underWay = new Map<string, boolean>();

  constructor(private readonly parts: Parts) {}

  standing(keys: ReadonlySet<string>): void {
    this.#stand = keys;
    this.look();
  }

  /** Something happened at a QEMU, or its monitor is there again. */
  look(): void {
    for (const asked of this.parts.moves.all) {
      if (this.#stand?.has(asked.key) !== false) continue;
      if (this.#underWay.has(asked.key)) this.#underWay.set(asked.key, true);
      else void this.#leave(asked);
    }
  }

  async #leave(asked: Asked): Promise<void> {
    const { moves, log } = this.parts;
    let isDone: boolean;
    try {
      do {
        this.#underWay.set(asked.key, false);
        isDone = await this.#isDone(asked);
      } while (!isDone && this.#underWay.get(asked.key) === true);
      if (isDone) await moves.drop(asked.key);
    } catch (cause) {
      log.warn({ order: asked.key, reason: String(cause) }, 'what a move left could not be cleared');
    } finally {
      this.#underWay.delete(asked.key);
    }
  }

  /** False: it can't be said now, and is looked at again when something happens. */
  async #isDone(asked: Asked): Promise<boolean> {
    const { log, machineOf } = this.parts;
    const machine = await machineOf(asked.owner);
    if (machine === null) return true;
    const [look, state] = [await machine.lookAtMigration(), await machine.lookAtRunState()];
    if (!look.ok || !state.ok) return false;
    const isOurs = judge(asked, look.value, state.value).do === 'follow';
    const fields = { owner: asked.owner, order: asked.key };
    if (isOurs && look.value.status === 'completed' && state.value === 'postmigrate') {
      log.info(fields, 'the guest has moved away: its QEMU here is ended');
      // QEMU may go before it answers: then nothing is there at the next look.
      return this.#wasTaken(fields, await machine.execute('quit'));
    }
    if (isOurs && UNDER_WAY.has(look.value.status)) {
      log.warn(fields, 'a guest that is to stay was still being moved: called off');
      await machine.execute('migrate_cancel');
      return false;
    }
    const unset = capability('pause-before-switchover', false);
    return this.#wasTaken(fields, await machine.execute('migrate-set-capabilities', unset));
  }

  #wasTaken(fields: object, answer: Result<unknown>): boolean {
    if (answer.ok || answer.error.code !== 'refused') return answer.ok;
    const { message: reason } = answer.error;
    this.parts.log.warn({ ...fields, reason }, 'QEMU refused what was to clear up after a move');
    return true;
  }
}
