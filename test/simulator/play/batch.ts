import { story, type Outcome, type StoryOptions } from '../story/story.js';

export interface Batch {
  readonly first: number;
  readonly count: number;
  /** All of a story's options but its seed. */
  readonly options: Omit<StoryOptions, 'seed'>;
  /** Called for each story that breaks; true: go on. */
  readonly onBroken: (outcome: Outcome) => boolean;
  /** Called after each hundred stories. */
  readonly onHundred?: (stories: number, broken: number) => void;
}

export interface Sum {
  readonly stories: number;
  readonly broken: number;
  readonly steps: number;
  /** Not judged to the end: see `Outcome`. */
  readonly unnoticed: number;
  /** How migrations ended, over all stories. */
  readonly migrations: Readonly<Record<string, number>>;
  /** Kind of failure → the seeds that show it. */
  readonly kinds: ReadonlyMap<string, readonly number[]>;
}

/** Tells the stories of `count` seeds, one after the other. */
export async function playAll({ first, count, options, onBroken, onHundred }: Batch): Promise<Sum> {
  const kinds = new Map<string, number[]>();
  const migrations: Record<string, number> = {};
  let [stories, broken, steps, unnoticed] = [0, 0, 0, 0];
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await story({ ...options, seed });
    stories += 1;
    steps += outcome.steps;
    if (outcome.ok && outcome.unnoticed) unnoticed += 1;
    for (const [how, n] of Object.entries(outcome.migrations)) migrations[how] = (migrations[how] ?? 0) + n;
    if (!outcome.ok) broken += 1;
    if (stories % 100 === 0) onHundred?.(stories, broken);
    if (outcome.ok) continue;
    const kind = kindOf(outcome.broken);
    kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
    if (!onBroken(outcome)) break;
  }
  return { stories, broken, steps, unnoticed, migrations, kinds };
}

/** What is alike in failures of one kind: their first line without what tells one story from another. */
export function kindOf(broken: string): string {
  const line = broken.split('\n')[0] ?? '';
  return line
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]+/g, 'ID')
    .replaceAll(/\d+/g, 'N')
    .slice(0, 160);
}
