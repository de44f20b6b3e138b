import { fnv32 } from './hash.js';

/** Linux takes 15 characters for a device name. */
const MAX = 15;

/**
 * The bridge of a switch on any host: `pt-<switch>`, or, where that is too long, `pt-<4 characters>_<hash>`. No
 * switch name has an underscore, so a shortened name never meets a whole one.
 */
export function bridgeName(switchName: string): string {
  const whole = `pt-${switchName}`;
  if (whole.length <= MAX) return whole;
  const hash = (fnv32(switchName) >>> 4).toString(16).padStart(7, '0');
  return `pt-${switchName.slice(0, 4)}_${hash}`;
}
