import { type Figure } from '../support/figure.js';
import { spread } from '../support/stats.js';
import { pause } from '../support/until.js';
import { cpuBetween, type ScaleWorld } from './world.js';

/** As long as the longest of what hosts do by themselves: each tells a checkpoint in it. */
const LOOK_MS = 30_000;

/** What the cluster takes when nobody asks anything of it: what is left of the processors is for changes. */
export async function idle(world: ScaleWorld): Promise<Figure[]> {
  const [begun, before] = [performance.now(), await world.cpu()];
  await pause(LOOK_MS);
  const seconds = (performance.now() - begun) / 1000;
  const cpuMsPerSecond = cpuBetween(before, await world.cpu(), seconds);
  const all = Object.values(cpuMsPerSecond).reduce((sum, ms) => sum + ms, 0);
  return [
    {
      bench: 'scale',
      what: `nothing to do with ${world.up} hosts, all processes together`,
      unit: 'ms/s',
      spread: spread([all]),
      detail: { hosts: world.up, cpuMsPerSecond },
    },
  ];
}
