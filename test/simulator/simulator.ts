import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants.js';
import { story } from './story/story.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    actions: { type: 'string', default: '40' },
    without: { type: 'string', default: '' },
    bug: { type: 'string', default: '' },
    calm: { type: 'boolean', default: false },
    trace: { type: 'string', default: '80' },
    keep: { type: 'boolean', default: false },
  },
});

const without = new Set(values.without === '' ? [] : values.without.split(',').map(Number));
const bugs = values.bug === '' ? {} : (MUTANTS[values.bug]?.() ?? {});
const first = Number(values.seed);
const actions = Number(values.actions);
let steps = 0;
let failed = 0;
const began = performance.now();
const kinds = new Map<string, number[]>();
for (let seed = first; seed < first + Number(values.seeds); seed += 1) {
  const outcome = await story({
    seed,
    actions,
    faults: !values.calm,
    without,
    bugs,
    verbose: Number(values.trace) > 4_000,
  });
  steps += outcome.steps;
  if (outcome.ok) continue;
  failed += 1;
  const kind = outcome.broken.split('\n')[0]?.replaceAll(/\d+/g, 'N').slice(0, 160) ?? '';
  kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
  if (!values.keep) {
    process.stdout.write(`${outcome.trace.slice(-Number(values.trace)).join('\n')}\n`);
    process.stdout.write(`\nseed ${seed} is broken after ${outcome.steps} steps:\n${outcome.broken}\n`);
    process.exit(1);
  }
}
const seconds = (performance.now() - began) / 1000;
for (const [kind, seeds] of [...kinds].sort((a, b) => b[1].length - a[1].length))
  process.stdout.write(`${String(seeds.length).padStart(5)}  ${kind}  e.g. ${seeds.slice(0, 6).join(' ')}\n`);
process.stdout.write(
  `${values.seeds} seeds, ${failed} broken, ${steps} steps in ${seconds.toFixed(1)} s: ${Math.round(steps / seconds)} steps/s\n`,
);
process.exit(failed === 0 ? 0 : 1);
