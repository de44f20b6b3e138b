import { type World } from '../../model/world.js';
import { guestsOf, learns } from '../frames.js';
import { type Random } from '../random.js';
import { BROADCAST, NESTED_MACS, OUTSIDERS } from '../values.js';
import { anything, says, speakersWith, type Speaker } from './speakers.js';
import { type Teller } from './teller.js';

const STEPS = 12;

/** Frames that teach, and frames to those whom they taught: from guests, from outside, and from where the MAC went. */
export function learningStory(random: Random, world: World, teller: Teller): void {
  const learners = guestsOf(world).filter(learns);
  if (learners.length === 0) return;
  const first = random.pick(learners);
  const all = speakersWith(random, world, first);
  const able = all.filter(({ guest }) => learns(guest));
  if (able.length === 0) return;
  // Mostly of one MAC, and from where its port's frames leave or come back.
  const outside = all.filter(({ guest }) => guest.policy === undefined && guest.host === first.host);
  const nested = [...NESTED_MACS, random.pick(guestsOf(world)).mac];
  const behind = (): string => (random.chance(0.6) ? NESTED_MACS[0] : random.pick(nested));
  const to = (): string =>
    random.weighted(
      [3, BROADCAST],
      [2, random.pick(all).guest.mac],
      [1, random.pick(OUTSIDERS)],
      [2, random.pick(nested)],
    );
  const say = (who: Speaker, from: string, dst: string): void =>
    teller.frames(says(who, { from, to: dst, body: anything(random, who.guest) }));
  for (let i = 0; i < STEPS; i += 1) {
    const teach = (): void => say(random.pick(able), behind(), to());
    const lead = (): void => {
      const who = random.pick(all);
      say(who, who.guest.mac, behind());
    };
    const move = (): void => say(random.pick(outside.length > 0 ? outside : able), behind(), to());
    random.weighted([4, teach], [5, lead], [2.5, move])();
  }
}
