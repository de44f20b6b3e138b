import { rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type World } from '../../process/cluster.fixture.js';

const SHIFT = pathToFileURL(resolve('test', 'chaos', 'support', 'shifted-clock.mjs')).href;
const fileOf = (home: string, service: string): string => join(home, `clock-${service}`);

export const CLOCKED = [
  'switch-manager-1',
  'switch-manager-2',
  'migration-coordinator',
  'operator-api',
  'host-agent-alpha',
  'host-agent-bravo',
  'host-agent-charlie',
] as const;

/** Services whose wall clocks can be set while they run. */
export const clockedEnv = (home: string): Record<string, NodeJS.ProcessEnv> =>
  Object.fromEntries(
    CLOCKED.map((service) => [
      service,
      { NODE_OPTIONS: `--import=${SHIFT}`, CHAOS_CLOCK_FILE: fileOf(home, service) },
    ]),
  );

/** Sets one service's wall clock off by so much; it notices within a tenth of a second. */
export async function setClock(world: World, service: string, offsetMs: number): Promise<void> {
  const file = fileOf(world.cluster.options.home, service);
  await writeFile(`${file}.new`, String(offsetMs));
  await rename(`${file}.new`, file);
}
