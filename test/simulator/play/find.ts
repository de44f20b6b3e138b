import { MUTANTS, type MutantName } from '../mutants/mutants.js';
import { MUTANT_ACTIONS } from '../mutants/seeds.js';
import { story } from '../story/story.js';

/** Whether the story of this seed finds the planted fault, and is whole without it. What it says instead, if not. */
export async function finds(name: MutantName, seed: number): Promise<string | null> {
  const { plant, finding } = MUTANTS[name];
  const told = await story({ seed, actions: MUTANT_ACTIONS, bugs: plant() });
  if (told.ok) return 'nothing is found';
  if (!finding.test(told.broken)) return `what is found is another thing: ${told.broken}`;
  const whole = await story({ seed, actions: MUTANT_ACTIONS });
  return whole.ok ? null : `without the fault the story is broken too: ${whole.broken}`;
}

/** The first seeds from `from` on that find it, up to `wanted` of them. */
export async function find(
  name: MutantName,
  from: number,
  tries: number,
  wanted: number,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (let seed = from; seed < from + tries && found.length < wanted; seed += 1)
    if ((await finds(name, seed)) === null) found.push(seed);
  return found;
}
