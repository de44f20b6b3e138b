import { guestsOn, guestStates, isOver, type Evacuation, type State } from '#domain';
import { GUEST_STATES, type EvacuationDescription, type EvacuationView } from '#contracts/http';
import { iso, isoOrNull } from './time.js';

/** `now`: for how long one that runs has run. */
export function evacuationView(state: State, e: Evacuation, now: number): EvacuationView {
  const guests = guestStates(state, e);
  const count = (s: (typeof GUEST_STATES)[number]): number => guests.filter((g) => g.state === s).length;
  return {
    id: e.id,
    host: e.host,
    to: [...e.to],
    parallel: e.parallel,
    attempts: e.attempts,
    phase: e.phase,
    finished: isOver(e),
    requestedBy: e.requestedBy,
    reason: e.reason,
    why: e.why,
    startedAt: iso(e.startedAt),
    endedAt: isoOrNull(e.endedAt),
    elapsedMs: Math.max(0, (e.endedAt ?? now) - e.startedAt),
    counts: Object.fromEntries(GUEST_STATES.map((s) => [s, count(s)])) as EvacuationView['counts'],
    remaining: guestsOn(state, e.host).length,
  };
}

export function evacuationDescription(state: State, e: Evacuation, now: number): EvacuationDescription {
  return {
    ...evacuationView(state, e, now),
    guests: guestStates(state, e).map(({ owner, state: stands, tries, refusals }) => ({
      owner,
      state: stands,
      tries: tries.map(({ migration, destination, outcome, reason }) => ({
        migration,
        destination,
        phase: outcome ?? state.migrations.get(migration)?.phase ?? 'unknown',
        reason,
      })),
      refusals: refusals.map((r) => ({ ...r })),
    })),
  };
}
