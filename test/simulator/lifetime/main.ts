import { parseArgs } from 'node:util';
import { leaksOf, mb } from './leaks.js';
import { Life, type Standing } from './lifetime.js';

const USAGE = 'usage: main.js [--changes N (default 3000; the nightly size is 100000)] [--seed S]\n';
/** Before the first look, so that everything was there once. */
const WARM_UP = 150;

const { values } = parseArgs({
  options: { changes: { type: 'string', default: '3000' }, seed: { type: 'string', default: '1' } },
});
const [changes, seed] = [Number(values.changes), Number(values.seed)];
if (!Number.isSafeInteger(changes) || changes < 2 || !Number.isSafeInteger(seed)) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const life = new Life(seed);
await life.begin();

async function after(n: number): Promise<Standing> {
  await life.live(n);
  await life.empty();
  const standing = await life.measure();
  const { revision, now } = life.world;
  const done = `${life.changes.made} changes, revision ${revision}, ${Math.round(now / 60_000)} min`;
  say(`${done}: ${mb(standing.heap)} MB live, ${standing.sizes.size} collections`);
  return standing;
}

const begin = await after(WARM_UP);
const middle = await after(Math.ceil(changes / 2));
const leaks = leaksOf(begin, middle, await after(Math.floor(changes / 2)));
for (const [what, n] of [...life.changes.done].sort()) say(`${String(n).padStart(7)} ${what}`);
say(leaks.length === 0 ? 'nothing is more than it was' : `what leaks, by seed ${seed}:\n${leaks.join('\n')}`);
process.exitCode = leaks.length === 0 ? 0 : 1;
