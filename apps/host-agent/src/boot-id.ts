import { readFile } from 'node:fs/promises';

/** The kernel's boot id: the same over restarts of the agent, another after the host went down. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
