import { parseArgs } from 'node:util';
import { MUTANT_NAMES, MUTANTS, type MutantName } from './mutants/mutants.js';
import { SEEDS_EACH } from './mutants/seeds.js';
import { kindOf, playAll } from './play/batch.js';
import { find } from './play/find.js';
import { shrink } from './play/shrink.js';
import { type Outcome } from './story/story.js';

const USAGE = `usage: simulate [options]
  --seeds N         stories to tell (default 1)
  --nightly         10000 of them, to the end whatever breaks
  --from S          the first seed (default 1); --seed S tells that one
  --actions A       things that happen in each (default 10)
  --without 1,2     actions that are left out
  --calm            without faults
  --isolate         groups isolate in every story
  --mutant NAME     with a planted fault; --find: the first seed that finds it (NAME all: for each of them)
  --keep            goes on after a failure, sums up what kinds there are, and shrinks one of each
  --no-shrink       shows a failure as it is
  --trace L         lines of a failing story to show (default 80)
`;

const NIGHTLY = 10_000;
/** Kinds of failures that are shrunk: each takes as long as some dozens of stories. */
const KINDS_SHOWN = 5;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    actions: { type: 'string', default: '10' },
    without: { type: 'string', default: '' },
    mutant: { type: 'string' },
    find: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    isolate: { type: 'boolean', default: false },
    trace: { type: 'string', default: '80' },
    keep: { type: 'boolean', default: false },
    nightly: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const number = (name: 'from' | 'seeds' | 'actions' | 'trace', text: string): number => {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 0) fail(`--${name} ${text} is not a number`);
  return n;
};

function fail(why: string): never {
  process.stderr.write(`${why}\n${USAGE}`);
  process.exit(2);
}

function mutants(name: string): readonly MutantName[] {
  if (name === 'all') return MUTANT_NAMES;
  if (!Object.hasOwn(MUTANTS, name)) fail(`there is no mutant ${name}; there are ${MUTANT_NAMES.join(', ')}`);
  return [name as MutantName];
}

/** Prints what belongs into mutants/seeds.ts. */
async function findSeeds(names: readonly MutantName[], from: number, tries: number): Promise<boolean> {
  let all = true;
  for (const name of names) {
    const seeds = await find(name, from, tries, SEEDS_EACH);
    say(seeds.length === 0 ? `none of ${tries} seeds finds ${name}` : `  '${name}': [${seeds.join(', ')}],`);
    all &&= seeds.length > 0;
  }
  return all;
}

async function play(): Promise<boolean> {
  const from = number('from', values.seed ?? values.from);
  const count = values.seed !== undefined ? 1 : values.nightly ? NIGHTLY : number('seeds', values.seeds);
  const goesOn = values.keep || values.nightly;
  const actions = number('actions', values.actions);
  const trace = number('trace', values.trace);
  const without = new Set(values.without === '' ? [] : values.without.split(',').map(Number));
  const [mutant] = values.mutant === undefined ? [] : mutants(values.mutant);
  const bugs = {
    ...(mutant === undefined ? {} : MUTANTS[mutant].plant()),
    ...(values.isolate ? { isolating: 1 } : {}),
  };
  const options = { actions, faults: !values.calm, without, bugs };
  const failures = new Map<string, Outcome>();
  const began = performance.now();
  const sum = await playAll({
    first: from,
    count,
    options: { ...options, verbose: trace > 4_000 },
    onBroken: (outcome) => {
      if (goesOn) say(`seed ${outcome.seed}: ${outcome.broken.slice(0, 400)}`);
      const kind = kindOf(outcome.broken);
      if (!failures.has(kind) && failures.size < KINDS_SHOWN) failures.set(kind, outcome);
      return goesOn;
    },
    onHundred: (stories, broken) => {
      if (goesOn) process.stderr.write(`${stories} of ${count} seeds, ${broken} broken\n`);
    },
  });
  for (const failure of failures.values()) {
    const { seed } = failure;
    const planted = mutant === undefined ? '' : ` --mutant '${mutant}'`;
    const again = `npm run simulate -- --seed ${seed} --actions ${actions}${values.calm ? ' --calm' : ''}${values.isolate ? ' --isolate' : ''}${planted}`;
    const asIs = { outcome: failure, how: values.without === '' ? '' : ` --without ${values.without}` };
    const keep = values['no-shrink'] || without.size > 0 || mutant !== undefined;
    const { outcome, how } = keep ? asIs : await shrink({ ...options, seed }, failure);
    say(outcome.trace.slice(-trace).join('\n'));
    say(`\nseed ${seed} is broken after ${failure.steps} steps:\n${failure.broken}`);
    if (how !== '') say(`\nwith less it still is, after ${outcome.steps} steps:\n${outcome.broken}`);
    say(`\nplay it again: ${again} --no-shrink${how}`);
  }
  for (const [kind, seeds] of [...sum.kinds].sort((a, b) => b[1].length - a[1].length))
    say(`${String(seeds.length).padStart(5)}  ${kind}  e.g. ${seeds.slice(0, 6).join(' ')}`);
  const seconds = (performance.now() - began) / 1000;
  const ends = Object.entries(sum.migrations).map(([how, n]) => `${n} ${how}`);
  say(`migrations: ${ends.join(', ')}`);
  if (sum.unnoticed > 0)
    say(`${sum.unnoticed} not judged to the end: nobody could know that the log came back older`);
  say(`${sum.stories} seeds, ${sum.broken} broken, ${sum.steps} steps in ${seconds.toFixed(1)} s`);
  return sum.broken === 0;
}

if (values.help) {
  say(USAGE);
} else if (values.find) {
  const tries = values.seeds === '1' ? 300 : number('seeds', values.seeds);
  if (values.mutant === undefined) fail('--find wants a --mutant');
  process.exitCode = (await findSeeds(mutants(values.mutant), number('from', values.from), tries)) ? 0 : 1;
} else {
  process.exitCode = (await play()) ? 0 : 1;
}
