import { type Clock } from '#kernel';

const PAUSE_MS = 500;

/**
 * Does `work` until it succeeds: the stream may not be made yet, or the server not be up. That is waited for, not
 * died of. `onWait` is told of the first failure, and of every twentieth.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  clock: Clock,
  onWait: (cause: unknown) => void,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (cause) {
      if (attempt % 20 === 0) onWait(cause);
      await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve));
    }
  }
}
