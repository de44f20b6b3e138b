import { type Arrival, type World } from '../model/world.js';
import { conversation } from './conversations.js';
import { type Event } from './events.js';
import { randomFrame } from './frames.js';
import { type Kind } from './policies.js';
import { Random } from './random.js';
import { storyOf } from './stories/story.js';
import { changed, randomWorld, type Place } from './worlds.js';

/** A world, and frames in rounds: those of one round do not speak of each other, unless they are in order. */
export interface Case {
  readonly kind: Kind;
  readonly world: World;
  readonly rounds: readonly (readonly Arrival[])[];
  /** What happens between rounds, in their order. */
  readonly events: readonly Event[];
}

/** Whether what becomes of a frame depends on those before it, of the same round too. */
export const isInOrder = ({ kind }: Pick<Case, 'kind'>): boolean =>
  kind === 'learning' || kind === 'groups' || kind === 'limits';

const FRAMES = 14;
/** Where each is sent by itself. */
const FRAMES_IN_ORDER = 8;
const MOST_CONVERSATIONS = 6;

/** The case of a seed: the same one wherever and whenever. */
export function caseOf(seed: number, places: readonly Place[]): Case {
  const random = new Random(seed);
  const kind = random.weighted<Kind>(
    [5, 'plain'],
    [2, 'learning'],
    [1.5, 'groups'],
    [1.5, 'links'],
    [1, 'limits'],
  );
  const world = randomWorld(random, places, kind);
  const count = isInOrder({ kind }) ? FRAMES_IN_ORDER : FRAMES;
  const single = Array.from({ length: count }, () => randomFrame(random, world));
  const [least, most] = isInOrder({ kind }) ? [0, 1] : [1, MOST_CONVERSATIONS];
  const talks = Array.from({ length: random.between(least, most) }, (_, i) => conversation(random, world, i));
  const longest = Math.max(1, ...talks.map((talk) => talk.length));
  const rounds = Array.from({ length: longest }, (_, i) => talks.flatMap((talk) => talk[i] ?? []));
  const all = [[...unrelated(single), ...(rounds[0] ?? [])], ...rounds.slice(1)];
  const story = storyOf(random, kind, world, all.length);
  const events = [...changes(random, kind, world, longest), ...story.events];
  return { kind, world, rounds: [...all, ...story.rounds], events };
}

/** Not where limits are scarce: a limit that is made anew begins full. */
function changes(random: Random, kind: Kind, world: World, rounds: number): Event[] {
  if (rounds < 2 || kind === 'limits' || random.chance(0.5)) return [];
  const { groups, sets } = changed(random, world, kind);
  return [{ before: random.between(1, rounds - 1), becomes: { groups, sets } }];
}

/** One of each connection: which of two frames of a round is dealt with first is nobody's affair. */
function unrelated(frames: readonly Arrival[]): Arrival[] {
  const seen = new Set<string>();
  return frames.filter(({ frame: { body } }) => {
    if (body.kind !== 'ip') return true;
    const { version, protocol, src, dst, ports, icmp } = body;
    const ends = [`${src} ${ports?.src}`, `${dst} ${ports?.dst}`].sort();
    const key = [version, protocol, ...ends, icmp?.ident].join(' ');
    return !seen.has(key) && seen.add(key);
  });
}
