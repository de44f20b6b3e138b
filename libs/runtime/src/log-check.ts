import { poisonProblem, type Follower } from '#event-store';

/**
 * Whether a service reads the log, for its readiness. A poisoned one says the revision, the hash and the reason:
 * just what is needed to repudiate it.
 */
export function logCheck<State, Event>(
  follower: Follower<State, Event>,
): () => { ok: boolean; reason: string } {
  return () => {
    const { status, poison } = follower;
    return { ok: status === 'live', reason: poison === undefined ? status : poisonProblem(poison).message };
  };
}
