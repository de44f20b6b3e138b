import { round, type Spread } from './stats.js';

/** One line of the table. */
export interface Figure {
  readonly bench: string;
  readonly what: string;
  readonly unit: string;
  readonly spread: Spread;
  /** What it is to reach, as said in the README; absent: only reported. */
  readonly target?: { readonly text: string; readonly met: boolean };
  /** It could not be measured, and why. Its `spread` is of nothing. */
  readonly failed?: string;
  /** What belongs to it: the sides of a ratio, stages, memory of processes. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export type Bench = (say: (line: string) => void) => Promise<readonly Figure[]>;

/** What a bench needs, by the variable that says why it can't be had. */
const NEEDS = { lab: 'PORTOLAN_NO_LAB', ovn: 'PORTOLAN_NO_OVN' } as const;

/** Left out, with the reason, where what it needs can't be had. */
export const needing =
  (what: keyof typeof NEEDS, bench: Bench): Bench =>
  (say) => {
    const obstacle = process.env[NEEDS[what]] ?? '';
    if (obstacle === '') return bench(say);
    say(`left out: ${obstacle}`);
    return Promise.resolve([]);
  };

export const atLeast = (least: number, value: number): NonNullable<Figure['target']> => ({
  text: `≥ ${least}`,
  met: value >= least,
});

export const atMost = (most: number, value: number, of = ''): NonNullable<Figure['target']> => ({
  text: `${of}≤ ${most}`,
  met: value <= most,
});

/** `most`: of p50 and p95; absent: it is told and not judged. */
export function ratioOf(bench: string, what: string, ours: Spread, theirs: Spread, most?: number): Figure {
  const ratio = (key: keyof Spread) => round(ours[key] / theirs[key]);
  const [p50, p95] = [ratio('p50'), ratio('p95')];
  const ratios = { n: ours.n, min: ratio('min'), p50, p95, p99: ratio('p99'), max: ratio('max') };
  const target =
    most === undefined ? undefined : { text: `p50, p95 ≤ ${most}`, met: p50 <= most && p95 <= most };
  return { bench, what, unit: '', spread: ratios, ...(target && { target }) };
}
