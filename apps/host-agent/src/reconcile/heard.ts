import { TABLES } from '#compiler';
import {
  flowPlace,
  follow,
  isLearned,
  type DriverEvent,
  type Flow,
  type Observation,
  type Step,
} from '#openflow';

export type Told = Extract<DriverEvent, { kind: 'flows' | 'groups' | 'meters' }>;

/**
 * What the switch told of others' changes and what stands does not show yet. While a pass changes the switch, nobody
 * knows whether another's change of the same thing came before or after ours.
 */
export class Heard {
  #told: Told[] = [];
  /** What steps changed since the last time: `<bridge>/<place of a flow>`, and bridges where groups or meters did. */
  #places = new Set<string>();
  #bridges = new Set<string>();

  get isEmpty(): boolean {
    return this.#told.length === 0;
  }

  add(told: Told): void {
    this.#told.push(told);
  }

  /** The answers to all steps came, and with them what others did before. */
  clear(): void {
    this.#told = [];
    this.#places = new Set();
    this.#bridges = new Set();
  }

  /** A step is about to be applied. */
  touched(step: Step): void {
    if (step.kind === 'meters') this.#bridges.add(step.bridge);
    if (step.kind !== 'bundle') return;
    for (const mod of step.mods) {
      if (mod.op === 'add-flow' || mod.op === 'delete-flow')
        this.#places.add(`${step.bridge}/${flowPlace(mod.flow)}`);
      else this.#bridges.add(step.bridge);
    }
  }

  /** What stands with all of it; null: only reading tells. Forgets it. */
  into(have: Observation): Observation | null {
    const now = this.#told.reduce<Observation | null>(
      (all, told) => (all === null || this.#isOfTwo(told) ? null : follow(all, told)),
      have,
    );
    this.clear();
    return now;
  }

  #isOfTwo(told: Told): boolean {
    if (this.#bridges.has(told.bridge)) return true;
    return (
      told.kind === 'flows' &&
      told.changes.some(({ flow }) => this.#places.has(`${told.bridge}/${flowPlace(flow)}`))
    );
  }
}

/** Rows that the switch learns and forgets for itself, addresses say: no change of what must stand. */
export const isCache = (told: Told): boolean =>
  told.kind === 'flows' && told.changes.length > 0 && told.changes.every(({ flow }) => isCacheRow(flow));

const isCacheRow = ({ cookie, table }: Flow): boolean => isLearned(cookie) && table !== TABLES.ACTIVITY;

/** What was read without such rows: nothing is planned by them, and they would be thought to be in the way. */
export function withoutCache(have: Observation): Observation {
  const isFree = have.bridges.every(({ flows }) => !flows.some(({ flow }) => isCacheRow(flow)));
  if (isFree) return have;
  const bridges = have.bridges.map((b) => ({ ...b, flows: b.flows.filter(({ flow }) => !isCacheRow(flow)) }));
  return { ...have, bridges };
}
