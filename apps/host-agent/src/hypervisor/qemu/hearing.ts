import { ok, type Result } from '#kernel';
import { isFields } from './lines.js';

type Execute = (command: string, args?: Readonly<Record<string, unknown>>) => Promise<Result<unknown>>;

/**
 * Makes the monitor tell of a migration's course, which it does not by itself; false: it can't be made to just now. QEMU
 * takes no capability while it migrates, not even one that it has, so what is set already is left.
 */
export async function hearMigrations(execute: Execute): Promise<Result<boolean>> {
  const now = await execute('query-migrate-capabilities');
  if (!now.ok) return now;
  if (Array.isArray(now.value) && now.value.some(isEvents)) return ok(true);
  const set = await execute('migrate-set-capabilities', capability('events', true));
  if (set.ok) return ok(true);
  return set.error.code === 'refused' ? ok(false) : set;
}

const isEvents = (one: unknown): boolean =>
  isFields(one) && one['capability'] === 'events' && one['state'] === true;

/** Arguments of `migrate-set-capabilities`. */
export const capability = (name: string, state: boolean) => ({ capabilities: [{ capability: name, state }] });
