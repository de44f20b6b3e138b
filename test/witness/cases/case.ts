import { type Arrival, type World } from '../model/world.js';
import { conversation } from './conversations.js';
import { randomFrame } from './frames.js';
import { Random } from './random.js';
import { changed, randomWorld, type Place } from './worlds.js';

/** A world, and frames in rounds: those of one round do not speak of each other. */
export interface Case {
  readonly world: World;
  readonly rounds: readonly (readonly Arrival[])[];
  /** What the world becomes before a round, its connections standing. */
  readonly change?: { readonly before: number; readonly world: World };
}

const FRAMES = 14;
const MOST_CONVERSATIONS = 4;

/** The case of a seed: the same one wherever and whenever. */
export function caseOf(seed: number, places: readonly Place[]): Case {
  const random = new Random(seed);
  const world = randomWorld(random, places);
  const single = Array.from({ length: FRAMES }, () => randomFrame(random, world));
  const talks = Array.from({ length: random.between(0, MOST_CONVERSATIONS) }, (_, i) =>
    conversation(random, world, i),
  );
  const longest = Math.max(1, ...talks.map((talk) => talk.length));
  const rounds = Array.from({ length: longest }, (_, i) => talks.flatMap((talk) => talk[i] ?? []));
  const all = [[...unrelated(single), ...(rounds[0] ?? [])], ...rounds.slice(1)];
  if (longest < 2 || random.chance(0.5)) return { world, rounds: all };
  return {
    world,
    rounds: all,
    change: { before: random.between(1, longest - 1), world: changed(random, world) },
  };
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
