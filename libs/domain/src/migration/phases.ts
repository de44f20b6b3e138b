import { type Migration, type MigrationPhase, type State } from '../model/state.js';

/** How long each phase may last before it may be timed out, in ms; null: without end. */
export const PHASE_DURATIONS: Readonly<Record<MigrationPhase, number | null>> = {
  admitted: 30_000,
  prepared: 60_000,
  moving: 600_000,
  switched: 60_000,
  aborting: 60_000,
  unknown: null,
  completed: null,
  aborted: null,
  failed: null,
};

/** Nothing happens to it any more. */
export function hasEnded(phase: MigrationPhase): boolean {
  return phase === 'completed' || phase === 'aborted' || phase === 'failed';
}

/** It has ended, and nothing of the guest ever ran at its destination. */
export function stayedAtSource({ phase, history, ports }: Migration): boolean {
  if (!hasEnded(phase) || phase === 'completed') return false;
  return !history.some((step) => step.phase === 'switched') && !ports.some((port) => port.activated);
}

/** Those that have not ended, the eldest first. By the ports that move: thousands that ended stay in the state. */
export function runningMigrations({ moving, migrations }: Pick<State, 'moving' | 'migrations'>): Migration[] {
  const ids = [...new Set(moving.values())].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  return ids.flatMap((id) => migrations.get(id) ?? []);
}

/**
 * How long the present phase may stand, ms; null: without end. A difference within one commit, and so the same whatever
 * wall clocks do afterwards: they say when something was, never how long it took.
 */
export function allowanceOf({ deadline, history }: Migration): number | null {
  const since = history.at(-1)?.at;
  return deadline === null || since === undefined ? null : deadline - since;
}

export function deadlineOf(phase: MigrationPhase, now: number): number | null {
  const duration = PHASE_DURATIONS[phase];
  return duration === null ? null : now + duration;
}
