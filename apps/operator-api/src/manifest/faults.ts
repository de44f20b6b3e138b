import { describe, err, problem, type ProblemDetail } from '#kernel';

const MAX_FAULTS = 50;

/** Every fault at once, up to a number that a person still reads. */
export function refuse(faults: readonly ProblemDetail[]): {
  readonly ok: false;
  readonly error: ReturnType<typeof problem>;
} {
  const shown = faults.slice(0, MAX_FAULTS);
  const more = faults.length - shown.length;
  const text = sentence(faults, 'the input is wrong');
  return err(problem('invalid', more > 0 ? `${text}; the first ${MAX_FAULTS} are named` : text, shown));
}

/** One fault is the sentence itself; of several only the number is, and the list names them. */
export function sentence(faults: readonly ProblemDetail[], otherwise: string): string {
  const [first, ...more] = faults;
  if (first === undefined) return otherwise;
  return more.length === 0 ? describe(first) : `${faults.length} things are wrong`;
}

export const firstLine = (text: string): string => text.split('\n')[0] ?? '';
export const isMap = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);
