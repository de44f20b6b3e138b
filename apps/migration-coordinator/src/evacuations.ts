import { type EvacuationId } from '#kernel';
import { nextStep, runningEvacuations, type Evacuation, type State } from '#domain';
import { type Proposal } from './propose.js';

/**
 * Proposes that evacuations go on. What they do next is worked out here only to see whether there is anything to do:
 * the sequencer works it out on its own state. Where there is nothing, that is remembered for as long as what it
 * depends on stays, since each look may ask all hosts about a guest.
 */
export class EvacuationWatch {
  readonly #idle = new Map<EvacuationId, readonly unknown[]>();

  /** Looks at all of them anew the next time: a limit of another host may have been raised. */
  lookAgain(): void {
    this.#idle.clear();
  }

  propose(state: State): readonly Proposal[] {
    if (state.evacuations.isEmpty()) return [];
    return runningEvacuations(state).flatMap((e) => {
      const grounds = groundsOf(state, e);
      const before = this.#idle.get(e.id);
      if (before !== undefined && grounds.every((g, i) => g === before[i])) return [];
      this.#idle.delete(e.id);
      if (nextStep(state, e) !== null) return proposal(e);
      this.#idle.set(e.id, grounds);
      return [];
    });
  }
}

const groundsOf = (state: State, e: Evacuation): readonly unknown[] => [
  e,
  state.migrations,
  state.byHost.get(e.host),
  state.hosts.get(e.host),
];

const proposal = ({ id, episode }: Evacuation): Proposal => ({
  commandId: `evacuation:${id}:${episode}`,
  command: { type: 'AdvanceEvacuation', evacuation: id, episode },
});
