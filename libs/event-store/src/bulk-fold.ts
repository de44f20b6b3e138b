import { type Decider, type EventMeta } from './decider.js';

type Evolver<State, Event> = Pick<Decider<State, never, Event>, 'evolve' | 'bulk'>;

/** Commits kept until the state is frozen the next time: the price of a freeze vanishes, and so does their room. */
const BETWEEN_FREEZES = 2048;

interface Step<Event> {
  readonly events: readonly Event[];
  readonly meta: EventMeta;
}

/**
 * Folds many commits into a state that changes in place. An event that can't be applied may have changed it already:
 * then the commits since the last frozen state are folded again from there, one by one, as if it had never come.
 */
export class BulkFold<State, Event> {
  #frozen: State;
  #thawed: State;
  #since: Step<Event>[] = [];

  constructor(
    readonly decider: Evolver<State, Event>,
    state: State,
  ) {
    this.#frozen = state;
    this.#thawed = this.#thaw();
  }

  /** All events of a commit or, when `evolve` throws, none of them; that exception is passed on. */
  fold(events: readonly Event[], meta: EventMeta): void {
    try {
      this.#thawed = evolveAll(this.decider, this.#thawed, events, meta);
    } catch (cause) {
      this.#restore();
      throw cause;
    }
    this.#since.push({ events, meta });
    if (this.#since.length < BETWEEN_FREEZES) return;
    this.#frozen = this.end();
    this.#thawed = this.#thaw();
    this.#since = [];
  }

  /** The state, frozen. To be called once, when nothing more is folded. */
  end(): State {
    return this.decider.bulk === undefined ? this.#thawed : this.decider.bulk.freeze(this.#thawed);
  }

  #thaw(): State {
    return this.decider.bulk === undefined ? this.#frozen : this.decider.bulk.thaw(this.#frozen);
  }

  #restore(): void {
    let state = this.#frozen;
    for (const { events, meta } of this.#since) state = evolveAll(this.decider, state, events, meta);
    this.#frozen = state;
    this.#thawed = this.#thaw();
    this.#since = [];
  }
}

export function evolveAll<State, Event>(
  decider: Pick<Evolver<State, Event>, 'evolve'>,
  state: State,
  events: readonly Event[],
  meta: EventMeta,
): State {
  let next = state;
  for (const event of events) next = decider.evolve(next, event, meta);
  return next;
}
