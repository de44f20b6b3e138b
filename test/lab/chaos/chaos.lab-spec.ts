import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { guestObstacle } from '../../../deploy/setup/guest.js';
import { Books } from './audit.js';
import { moments, OUTCOMES, victims, type Moment, type Outcome, type Victim } from './outcomes.js';
import { play } from './play.js';
import { ChaosWorld } from './world.js';

const obstacle = guestObstacle() as string | undefined;
const withGuests = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

/** `npm run lab -- chaos` sets it; `npm test` plays these alone. */
const FULL = process.env['PORTOLAN_CHAOS'] === 'full';
const SHORT: readonly (readonly [Victim, Moment])[] = [
  ['vswitchd@source', 'plugged'],
  ['manager', 'copying'],
  ['agent@destination', 'arrived'],
];

type Case = readonly [Victim, Moment, Outcome];

const CASES: readonly Case[] = moments.flatMap((moment) =>
  victims.flatMap((victim): readonly Case[] => {
    const outcome = OUTCOMES[victim][moment];
    const isPlayed = FULL || SHORT.some(([v, m]) => v === victim && m === moment);
    return outcome === null || !isPlayed ? [] : [[victim, moment, outcome]];
  }),
);

withGuests(`a real guest on its way, and somebody is killed${why}`, () => {
  let world: ChaosWorld | null = null;
  let books: Books;
  let isWhole = true;

  /** One cluster for all: each case leaves it whole. After one that failed the next begins with another. */
  beforeEach(async () => {
    if (!isWhole) await world?.stop();
    if (world === null || !isWhole) {
      world = null;
      world = await ChaosWorld.start();
      books = new Books(world);
    }
    isWhole = false;
  });
  afterAll(async () => {
    await world?.stop();
  });

  it.each(CASES)('%s killed when it is %s', async (victim, moment, outcome) => {
    await play(world!, books, victim, moment, outcome);
    expect(world!.spine.deaths).toEqual([]);
    isWhole = true;
    if (FULL) process.stderr.write(`${moment}: ${victim} killed, ${outcome.ends}\n`);
  });
});
