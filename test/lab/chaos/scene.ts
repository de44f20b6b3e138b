import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { Books } from './audit.js';
import { type Case } from './outcomes.js';
import { type Move } from './move.js';
import { play } from './play.js';
import { type ChaosWorld } from './world.js';

/** `npm run lab -- chaos` sets it; `npm test` plays a few cases. */
export const FULL = process.env['PORTOLAN_CHAOS'] === 'full';

/** One cluster for all cases: each leaves it whole. After one that failed the next begins with another. */
export function playAll<W extends ChaosWorld, M extends string>(
  cases: readonly Case<M>[],
  start: () => Promise<W>,
  moveAt: (world: W, moment: M) => Promise<Move>,
): void {
  let world: W | null = null;
  let books: Books;
  let isWhole = true;

  beforeEach(async () => {
    if (!isWhole) await world?.stop();
    if (world === null || !isWhole) {
      world = null;
      world = await start();
      books = new Books(world);
    }
    isWhole = false;
  });
  afterAll(async () => {
    await world?.stop();
  });

  it.each(cases)('%s killed when it is %s', async (victim, moment, outcome) => {
    await play(world!, books, () => moveAt(world!, moment), victim, moment, outcome);
    expect(world!.spine.deaths).toEqual([]);
    isWhole = true;
    if (FULL) process.stderr.write(`${moment}: ${victim} killed, ${outcome.ends}\n`);
  });
}
