import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const storage = new AsyncLocalStorage<string>();
const FORM = /^[A-Za-z0-9_.:-]{1,128}$/;

/** The correlation id of the work that runs now, if any. Travels along every await of `withCorrelation`. */
export const currentCorrelation = (): string | undefined => storage.getStore();

/**
 * Runs `work` under a correlation id. An id that came from outside is kept only when it is a plain token of up to 128
 * characters: it ends up in log lines and headers, so nothing else may pass through.
 */
export function withCorrelation<T>(id: string | undefined, work: () => T): T {
  return storage.run(id !== undefined && FORM.test(id) ? id : randomUUID(), work);
}
