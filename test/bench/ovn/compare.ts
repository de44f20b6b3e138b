import { type Figure } from '../support/figure.js';
import { round, spread, type Spread } from '../support/stats.js';
import { CHANGES, type ChangeName, type Side } from './side.js';

export interface Round {
  readonly change: ChangeName;
  readonly times: number;
  readonly warmUp: number;
  /** Of our side before that: what has just started runs code that is not compiled yet, and OVN's is. */
  readonly ourWarmUp?: number;
}

interface Taken {
  readonly side: Side;
  readonly times: number[];
  cpuMs: Readonly<Record<string, number>>;
}

/**
 * The same change on both sides, turn about, each alone on the machine while it is measured. What it takes is the time
 * until the asker knows that every host has it; it is taken back in between, untimed.
 */
export async function compare(
  [ours, theirs]: readonly [Side, Side],
  { change, times, warmUp, ourWarmUp = 0 }: Round,
  where: string,
  most: number,
): Promise<readonly Figure[]> {
  for (let n = 0; n < ourWarmUp; n++) await once(ours, change, n);
  for (let n = 0; n < warmUp; n++) for (const side of [ours, theirs]) await once(side, change, n);
  const taken = [ours, theirs].map((side): Taken => ({ side, times: [], cpuMs: {} }));
  const before = await Promise.all(taken.map((t) => t.side.cpu()));
  for (let n = warmUp; n < warmUp + times; n++)
    for (const it of n % 2 === 0 ? taken : [...taken].reverse())
      it.times.push(await once(it.side, change, n));
  for (const [i, it] of taken.entries()) it.cpuMs = each(before[i]!, await it.side.cpu(), 2 * times);
  return figures(taken, `${CHANGES[change]}, ${where}`, most);
}

/** One side alone, where there is nothing to compare it with. */
export async function alone(
  side: Side,
  { change, times, warmUp, ourWarmUp = 0 }: Round,
  where: string,
): Promise<readonly Figure[]> {
  const first = ourWarmUp + warmUp;
  for (let n = 0; n < first; n++) await once(side, change, n);
  const taken: Taken = { side, times: [], cpuMs: {} };
  const before = await side.cpu();
  for (let n = first; n < first + times; n++) taken.times.push(await once(side, change, n));
  taken.cpuMs = each(before, await side.cpu(), 2 * times);
  return [figureOf(taken, `${CHANGES[change]}, ${where}`)];
}

async function once(side: Side, change: ChangeName, n: number): Promise<number> {
  const begun = performance.now();
  await side.make(change, n);
  const took = performance.now() - begun;
  await side.undo(change, n);
  return took;
}

function each(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  changes: number,
): Record<string, number> {
  const entries = Object.entries(after).map(([name, s]) => [name, s - (before[name] ?? 0)] as const);
  return Object.fromEntries(entries.map(([name, s]) => [name, round((s * 1000) / changes)]));
}

function figures(taken: readonly Taken[], what: string, most: number): Figure[] {
  const [ours, theirs] = taken.map((t) => spread(t.times));
  const ratio = (key: keyof Spread) => round(ours![key] / theirs![key]);
  const all = taken.map((t) => figureOf(t, what));
  const [p50, p95] = [ratio('p50'), ratio('p95')];
  const ratios = { n: ours!.n, min: ratio('min'), p50, p95, p99: ratio('p99'), max: ratio('max') };
  const target = { text: `p50, p95 ≤ ${most}`, met: p50 <= most && p95 <= most };
  return [...all, { bench: 'ovn', what: `${what}: ours ÷ OVN`, unit: '', spread: ratios, target }];
}

const figureOf = ({ side, times, cpuMs }: Taken, what: string): Figure => ({
  bench: 'ovn',
  what: `${what}: ${side.name}`,
  unit: 'ms',
  spread: spread(times),
  detail: { cpuMsPerChange: cpuMs },
});
