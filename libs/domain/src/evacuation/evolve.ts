import { type EvacuationId } from '#kernel';
import { hasEnded } from '../migration/phases.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type EvacuatedGuest, type Evacuation, type EvacuationTry } from '../model/state.js';
import { must, type Next } from '../state/next.js';
import { isOver } from './guests.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

/** Evacuations that are over and stay in the state; the log has all of them. */
export const EVACUATIONS_KEPT = 64;

export function evacuationStarted(next: Next, e: Of<'EvacuationStarted'>, meta: EventMeta): void {
  const { id } = e.evacuation;
  const fresh = { phase: 'running', episode: 1, startedAt: meta.time, endedAt: null, why: null } as const;
  next.evacuations = next.evacuations.set(id, { ...e.evacuation, ...fresh, guests: [] });
  const number = Number(id.slice(1));
  next.nextEvacuation = Math.max(next.nextEvacuation, number + 1);
  const oldest = `e${number - EVACUATIONS_KEPT}` as EvacuationId;
  const past = next.evacuations.get(oldest);
  if (past !== undefined && isOver(past)) next.evacuations = next.evacuations.remove(oldest);
}

export function evacuationAdvanced(next: Next, e: Of<'EvacuationAdvanced'>, meta: EventMeta): void {
  change(next, e.evacuation, (before) => ({
    phase: e.to,
    why: e.reason ?? before.why,
    endedAt: e.to === 'aborting' ? null : meta.time,
  }));
}

export function evacuationRefused(
  next: Next,
  { evacuation, owner, refusals }: Of<'EvacuationRefused'>,
): void {
  changeGuest(next, evacuation, owner, (guest) => ({ ...guest, refusals }));
}

/** A guest is sent off. */
export function tried(next: Next, { migration: m }: Of<'MigrationStarted'>): void {
  if (m.evacuation === undefined) return;
  const one: EvacuationTry = { migration: m.id, destination: m.destination, outcome: null, reason: null };
  changeGuest(next, m.evacuation, m.owner, (guest) => ({ ...guest, tries: [...guest.tries, one] }));
}

/** Kept here as well: the migration is forgotten before its evacuation is. */
export function tryEnded(next: Next, e: Of<'MigrationAdvanced'>): void {
  const { evacuation, owner } = must(next.migrations.get(e.migration), `migration ${e.migration}`);
  if (evacuation === undefined || !hasEnded(e.to)) return;
  const ended = { outcome: e.to as EvacuationTry['outcome'], reason: e.reason ?? null };
  changeGuest(next, evacuation, owner, (guest) => ({
    ...guest,
    tries: guest.tries.map((t) => (t.migration === e.migration ? { ...t, ...ended } : t)),
  }));
}

function change(next: Next, id: EvacuationId, to: (before: Evacuation) => Partial<Evacuation>): void {
  const before = must(next.evacuations.get(id), `evacuation ${id}`);
  next.evacuations = next.evacuations.set(id, { ...before, ...to(before), episode: before.episode + 1 });
}

function changeGuest(
  next: Next,
  id: EvacuationId,
  owner: string,
  to: (guest: EvacuatedGuest) => EvacuatedGuest,
): void {
  change(next, id, ({ guests }) => {
    const known = guests.some((g) => g.owner === owner);
    const all = known ? guests : [...guests, { owner, tries: [], refusals: [] }];
    return { guests: all.map((g) => (g.owner === owner ? to(g) : g)) };
  });
}
