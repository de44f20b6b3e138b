import { DELETED_KEPT, MIGRATIONS_KEPT } from '#domain';
import { RECENT } from '#protocol';
import { type Standing } from './lifetime.js';

/** What is kept on purpose, and how much of it at most: everything else is to be as it was. */
const KEPT: readonly (readonly [place: RegExp, most: number, why: string])[] = [
  [/[sS]tate\.migrations$/, MIGRATIONS_KEPT, 'migrations that ended stay to be looked at'],
  [/[sS]tate\.(ports|deleted)$/, DELETED_KEPT, 'deleted ports keep their ledgers'],
  [/tracker\.affected$/, 10_000, 'of so many revisions it is known what they changed'],
  [/#flapping\.\w+\.#kept$/, 64, 'what changed in the last five minutes'],
  [/#drift\.#objects$/, 64, 'what drifted shortly before the last pass'],
  [/\.recent\.(shared|hosts)$/, RECENT.entries, 'what was written of late, for who missed marks'],
  [/\.recent\.marks$/, RECENT.lives, 'whose marks those were'],
  [/#commands\.#known$/, 1_000, 'answers of a day: here of the commands that let it pass'],
];

/** A length of text that only differs by the digits of revisions and numbers in it. */
const DIGITS = 32;
/** What may live more at the end than in the middle, for what is kept on purpose, and for chance. */
const MORE_HEAP = 1.3;
const SLACK_BYTES = 24e6;

/** Sentences on what is more than it was when the same stood. `middle`: when half of the changes were made. */
export function leaksOf(begin: Standing, middle: Standing, end: Standing): string[] {
  const found: string[] = [];
  for (const [place, size] of end.sizes) {
    const before = begin.sizes.get(place) ?? 0;
    const most = KEPT.find(([of]) => of.test(place))?.[1] ?? before;
    if (size > most) found.push(`${place} holds ${size}, at first ${before}`);
  }
  for (const [what, n] of Object.entries(end.outside)) {
    const before = begin.outside[what] ?? 0;
    if (n > before + (/: (documents|journal|memory)$/.test(what) ? DIGITS : 0))
      found.push(`${what}: ${n}, at first ${before}`);
  }
  if (end.heap > middle.heap * MORE_HEAP + SLACK_BYTES)
    found.push(`${mb(end.heap)} MB live, ${mb(middle.heap)} MB when half of it was done`);
  return found;
}

export const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
