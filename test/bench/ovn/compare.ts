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
  /** Seconds by process. */
  readonly cpu: Map<string, number>;
}

/** Who ours is compared with, and how much of its time ours may take at most; absent: that is told and not judged. */
export interface Peer {
  readonly side: Side;
  readonly most?: number;
}

/**
 * The same change on both sides, turn about, each alone on the machine while it is measured. What it takes is the time
 * until the asker knows that every host has it; it is taken back in between, untimed.
 */
export async function compare(
  ours: Side,
  peers: readonly Peer[],
  { change, times, warmUp, ourWarmUp = 0 }: Round,
  where: string,
): Promise<readonly Figure[]> {
  const sides = [ours, ...peers.map((peer) => peer.side)];
  for (let n = 0; n < ourWarmUp; n++) await once(ours, change, n);
  for (let n = 0; n < warmUp; n++) for (const side of sides) await once(side, change, n);
  const [us, ...them] = sides.map(begin) as [Taken, ...Taken[]];
  for (let n = warmUp; n < warmUp + times; n++)
    for (const it of n % 2 === 0 ? [us, ...them] : [...them, us]) await take(it, change, n);
  const what = `${CHANGES[change]}, ${where}`;
  return [...told(us, what), ...them.flatMap((it, i) => beside(us, it, what, peers[i]?.most))];
}

/** One side alone, where there is nothing to compare it with. */
export async function alone(
  side: Side,
  { change, times, warmUp, ourWarmUp = 0 }: Round,
  where: string,
): Promise<readonly Figure[]> {
  const first = ourWarmUp + warmUp;
  for (let n = 0; n < first; n++) await once(side, change, n);
  const taken = begin(side);
  for (let n = first; n < first + times; n++) await take(taken, change, n);
  return told(taken, `${CHANGES[change]}, ${where}`);
}

const begin = (side: Side): Taken => ({ side, times: [], installed: [], cpu: new Map() });

async function take(taken: Taken, change: ChangeName, n: number): Promise<void> {
  const { side, times, installed, cpu } = taken;
  const before = await side.cpu();
  const begun = performance.now();
  await side.make(change, n);
  times.push(performance.now() - begun);
  if (side.installedMs !== null) installed.push(side.installedMs);
  await side.undo(change, n);
  for (const [name, s] of Object.entries(await side.cpu()))
    cpu.set(name, (cpu.get(name) ?? 0) + s - (before[name] ?? 0));
}

async function once(side: Side, change: ChangeName, n: number): Promise<void> {
  await side.make(change, n);
  await side.undo(change, n);
}

/** What one side took; where somebody looked on, what that one saw, too. */
function told({ side, times, installed, cpu }: Taken, what: string): Figure[] {
  // Made, and taken back.
  const changes = 2 * times.length;
  const cpuMsPerChange = Object.fromEntries([...cpu].map(([name, s]) => [name, round((s * 1000) / changes)]));
  const it = { bench: 'ovn', unit: 'ms' };
  const done: Figure = {
    ...it,
    what: `${what}: ${side.name}`,
    spread: spread(times),
    detail: { cpuMsPerChange },
  };
  if (installed.length === 0) return [done];
  return [done, { ...it, what: `${what}: ${side.name}, installed`, spread: spread(installed) }];
}

/** Where somebody looked on, what is judged is what that one saw: what the other side confirms is no more than this. */
function beside(ours: Taken, theirs: Taken, what: string, most?: number): Figure[] {
  const peer = spread(theirs.times);
  const name = theirs.side.name;
  const answered = (bar?: number): Figure =>
    ratioOf('ovn', `${what}: ours ÷ ${name}`, spread(ours.times), peer, bar);
  if (ours.installed.length === 0) return [...told(theirs, what), answered(most)];
  const seen = ratioOf('ovn', `${what}: ours, installed ÷ ${name}`, spread(ours.installed), peer, most);
  return [...told(theirs, what), seen, answered()];
}
