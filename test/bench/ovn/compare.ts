import { ratioOf, type Figure } from '../support/figure.js';
import { round, spread } from '../support/stats.js';
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
  /** Until all switches had it; empty: nobody looked on. */
  readonly installed: number[];
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
  const taken = [ours, theirs].map((side): Taken => ({ side, times: [], installed: [], cpuMs: {} }));
  const before = await Promise.all(taken.map((t) => t.side.cpu()));
  for (let n = warmUp; n < warmUp + times; n++)
    for (const it of n % 2 === 0 ? taken : [...taken].reverse()) await take(it, change, n);
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
  const taken: Taken = { side, times: [], installed: [], cpuMs: {} };
  const before = await side.cpu();
  for (let n = first; n < first + times; n++) await take(taken, change, n);
  taken.cpuMs = each(before, await side.cpu(), 2 * times);
  return [figureOf(taken, `${CHANGES[change]}, ${where}`)];
}

async function take({ side, times, installed }: Taken, change: ChangeName, n: number): Promise<void> {
  const begun = performance.now();
  await side.make(change, n);
  times.push(performance.now() - begun);
  if (side.installedMs !== null) installed.push(side.installedMs);
  await side.undo(change, n);
}

async function once(side: Side, change: ChangeName, n: number): Promise<void> {
  await side.make(change, n);
  await side.undo(change, n);
}

function each(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  changes: number,
): Record<string, number> {
  const entries = Object.entries(after).map(([name, s]) => [name, s - (before[name] ?? 0)] as const);
  return Object.fromEntries(entries.map(([name, s]) => [name, round((s * 1000) / changes)]));
}

/** Where somebody looked on, the ratio is of what that one saw: what the other side confirms is no more than this. */
function figures([ours, theirs]: readonly Taken[], what: string, most: number): Figure[] {
  const all = [ours!, theirs!].map((t) => figureOf(t, what));
  const peer = spread(theirs!.times);
  const seen = ours!.installed;
  if (seen.length === 0)
    return [...all, ratioOf('ovn', `${what}: ours ÷ OVN`, spread(ours!.times), peer, most)];
  const installed: Figure = {
    bench: 'ovn',
    what: `${what}: ours, installed`,
    unit: 'ms',
    spread: spread(seen),
  };
  return [
    ...all,
    installed,
    ratioOf('ovn', `${what}: ours, installed ÷ OVN`, installed.spread, peer, most),
    ratioOf('ovn', `${what}: ours ÷ OVN`, spread(ours!.times), peer),
  ];
}

const figureOf = ({ side, times, cpuMs }: Taken, what: string): Figure => ({
  bench: 'ovn',
  what: `${what}: ${side.name}`,
  unit: 'ms',
  spread: spread(times),
  detail: { cpuMsPerChange: cpuMs },
});
