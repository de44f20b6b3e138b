import { type DomainState, type Look } from './said.js';

/**
 * Where a look says that the guest is: it left, is being sent, runs here, is shut off here, was cut off from what of it is
 * still here, or nobody can tell.
 */
export type Place = 'left' | 'leaving' | 'here' | 'off' | 'torn' | 'unclear';

const MIGRATION_OUT = 5;
const PAUSED = 3;
const SHUT_OFF = 5;
const MIGRATED_AWAY = 4;
/** Running, blocked, or asleep by its own wish. */
const RUNS: ReadonlySet<number> = new Set([1, 2, 7]);
/** Why a guest is paused that is on its way, or of which nobody knows whether it left. */
const BETWEEN: ReadonlySet<number> = new Set([2, 11, 12, 13]);
const POST_COPY_FAILED = 13;
/** Why a guest runs that may still be lost with its source. */
const POST_COPY: ReadonlySet<number> = new Set([10, 11]);

export const isRunning = ({ state }: DomainState): boolean => RUNS.has(state);
/** A guest whose memory is all here: one that runs in post-copy still hangs on its source. */
export const isWhole = (at: DomainState): boolean =>
  isRunning(at) && !(at.state === 1 && POST_COPY.has(at.reason));
export const isShutOff = ({ state }: DomainState): boolean => state === SHUT_OFF;
/** A defined guest that left stays, shut off, where it was. */
export const hasLeft = (at: DomainState): boolean => isShutOff(at) && at.reason === MIGRATED_AWAY;
/** It waits for the rest of itself, or is being sent: which of both its state does not tell. */
export const isBetween = (at: DomainState): boolean =>
  !isRunning(at) && !isShutOff(at) && BETWEEN.has(at.reason);

export function placeOf({ state, job }: Look): Place {
  // libvirt keeps the job, so that it can be resumed.
  if (state?.state === PAUSED && state.reason === POST_COPY_FAILED) return 'torn';
  if (job?.operation === MIGRATION_OUT) return 'leaving';
  if (state === null || isBetween(state)) return 'unclear';
  if (hasLeft(state)) return 'left';
  return isShutOff(state) ? 'off' : 'here';
}
