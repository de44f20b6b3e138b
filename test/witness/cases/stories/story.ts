import { type World } from '../../model/world.js';
import { type Kind } from '../policies.js';
import { type Random } from '../random.js';
import { groupsStory } from './groups.js';
import { learningStory } from './learning.js';
import { limitsStory } from './limits.js';
import { linksStory } from './links.js';
import { Teller } from './teller.js';

type Tell = (random: Random, world: World, teller: Teller) => void;

const STORIES: Readonly<Record<Kind, Tell>> = {
  plain: () => undefined,
  learning: learningStory,
  groups: groupsStory,
  links: linksStory,
  limits: limitsStory,
};

/** What follows the rounds of a case; `first`: how many these are. */
export function storyOf(
  random: Random,
  kind: Kind,
  world: World,
  first: number,
): Pick<Teller, 'rounds' | 'events'> {
  const teller = new Teller(first);
  STORIES[kind](random, world, teller);
  return teller;
}
