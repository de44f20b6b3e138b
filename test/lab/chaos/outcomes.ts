/** Moments at which no hypervisor has a part in it yet. */
export const BEFORE = {
  admitted: {
    means: 'asked for; the policy does not stand at the destination yet',
    held: 'the destination’s agent is stopped',
  },
  prepared: {
    means: 'the policy stands on both sides; nobody was told to move the guest',
    held: 'the coordinator is stopped when it has made half of its proposals',
  },
} as const;

/** What comes of it when somebody is killed in the midst of a move. */
export interface Outcome {
  readonly ends: 'completed' | 'aborted' | 'failed';
  /** Or so, by who is heard of first. */
  readonly or?: 'aborted' | 'failed';
  readonly guest: 'moved' | 'stayed' | 'lost';
  /** Ends of the migration at which a segment of the guest's ledger may not be exact, and says so. */
  readonly inexact?: readonly ('source' | 'destination')[];
  /** It ends only by the operator's word that the guest is not at the destination. */
  readonly word?: true;
}

interface Moment {
  readonly means: string;
  readonly held: string;
}

/** Who is killed when, in moves by one hypervisor, and what comes of it. The page and the tests are made of it. */
export interface Scene<M extends string = string, V extends string = string> {
  /**
   * Moments of a migration, in order. Between them nothing happens by itself: each is held until whatever was to be
   * done has been done.
   */
  readonly moments: Readonly<Record<M, Moment>>;
  /** After the `@`: at which end of the migration. */
  readonly victims: Readonly<Record<V, string>>;
  /** Null: at that moment there is none. */
  readonly outcomes: Readonly<Record<V, Readonly<Record<M, Outcome | null>>>>;
}

export type Case<M extends string> = readonly [victim: string, moment: M, outcome: Outcome];

export const casesOf = <M extends string, V extends string>({
  moments,
  victims,
  outcomes,
}: Scene<M, V>): readonly Case<M>[] =>
  (Object.keys(moments) as M[]).flatMap((moment) =>
    (Object.keys(victims) as V[]).flatMap((victim): readonly Case<M>[] => {
      const outcome = outcomes[victim][moment];
      return outcome === null ? [] : [[victim, moment, outcome]];
    }),
  );

/** The same at each moment, but for some. */
export const rowOf =
  <M extends string>(moments: Readonly<Record<M, Moment>>) =>
  (each: Outcome, but: Partial<Record<M, Outcome | null>> = {}): Readonly<Record<M, Outcome | null>> =>
    Object.fromEntries(
      (Object.keys(moments) as M[]).map((m) => [m, but[m] === undefined ? each : but[m]]),
    ) as Record<M, Outcome | null>;

export const moved: Outcome = { ends: 'completed', guest: 'moved' };
export const stayed: Outcome = { ends: 'failed', guest: 'stayed' };
export const lost = (ends: Outcome['ends']): Outcome => ({ ends, guest: 'lost' });
