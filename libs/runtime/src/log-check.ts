import { messageOf } from '#kernel';
import { poisonProblem, type CommitLog, type Follower } from '#event-store';

/** Less than a check may take in all. */
const PATIENCE_MS = 800;

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

/**
 * Whether the message server answers for the log. One whose disk is full keeps its connections and answers nothing
 * (2.9 does not even say so in its own log file): without this all that anybody sees is that nobody leads.
 */
export const storeCheck =
  (log: Pick<CommitLog, 'last'>, patienceMs = PATIENCE_MS) =>
  async (): Promise<{ ok: boolean; reason: string }> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
    });
    try {
      await Promise.race([log.last(), late]);
      return { ok: true, reason: 'answers' };
    } catch (cause) {
      const why = messageOf(cause);
      return { ok: false, reason: `does not answer for the log (${why}): its disk may be full` };
    } finally {
      clearTimeout(timer);
    }
  };
