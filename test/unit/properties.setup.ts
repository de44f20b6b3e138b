import { configureGlobal } from 'fast-check';

/**
 * Properties are drawn from one seed, so that a commit's tests say the same each time they run; what they missed is
 * hunted with `PORTOLAN_SEED=random`, and a failure's seed is printed and can be given instead of `random`.
 */
const wanted = process.env['PORTOLAN_SEED'] ?? '20261122';
if (wanted !== 'random') {
  const seed = Number(wanted);
  if (!Number.isSafeInteger(seed)) {
    throw new Error(`PORTOLAN_SEED "${wanted}" is no seed; expected an integer, or random`);
  }
  configureGlobal({ seed });
}
