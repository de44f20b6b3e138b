import { type Spread } from './stats.js';

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

export const atLeast = (least: number, value: number): NonNullable<Figure['target']> => ({
  text: `≥ ${least}`,
  met: value >= least,
});

export const atMost = (most: number, value: number, of = ''): NonNullable<Figure['target']> => ({
  text: `${of}≤ ${most}`,
  met: value <= most,
});
