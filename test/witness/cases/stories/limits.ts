import { type Frame } from '../../model/frame.js';
import { type World } from '../../model/world.js';
import { guestsOf, type Guest } from '../frames.js';
import { SCARCE } from '../policies.js';
import { type Random } from '../random.js';
import { BROADCAST } from '../values.js';
import { anything, says, speakersWith } from './speakers.js';
import { type Teller } from './teller.js';

const STEPS = 8;
/** Octets: one of them fills a scarce limit. */
const LARGE = 1450;

/** More than a limit lets through, one frame right after the other. */
export function limitsStory(random: Random, world: World, teller: Teller): void {
  const limited = guestsOf(world).filter(isLimited);
  if (limited.length === 0) return;
  const one = random.pick(limited);
  const all = speakersWith(random, world, one);
  const own = all.find(({ guest }) => guest.n === one.n);
  const others = all.filter(({ guest }) => guest.n !== one.n);
  if (own === undefined || others.length === 0) return;
  const other = random.pick(others);
  for (let i = 0; i < STEPS; i += 1) {
    const [from, to] = random.chance(sendsLimited(one) ? 0.75 : 0.25) ? [own, other] : [other, own];
    const frame: Omit<Frame, 'tags'> = {
      from: from.guest.mac,
      to: random.chance(0.1) ? BROADCAST : to.guest.mac,
      body: anything(random, from.guest),
      ...(random.chance(0.6) ? { size: LARGE } : {}),
    };
    teller.frames(says(from, frame));
  }
}

const isScarce = (shaping: { readonly average: number } | null | undefined): boolean =>
  shaping?.average === SCARCE.average;

const isLimited = ({ policy }: Guest): boolean =>
  isScarce(policy?.shapingIn) ||
  isScarce(policy?.shapingOut) ||
  policy?.filter.rules.some(({ rate }) => rate?.rate === 1) === true;

const sendsLimited = ({ policy }: Guest): boolean =>
  isScarce(policy?.shapingIn) || policy?.filter.rules.some(({ direction }) => direction !== 'out') === true;
