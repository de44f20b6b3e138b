/** An expected outcome as a value: faults that a caller must handle are not thrown. */
export type Result<T, E = Problem> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });

/**
 * What a problem means to the one who asked, independent of any transport.
 *
 * - `invalid`: the input itself is wrong; the same input never succeeds.
 * - `not-found`, `conflict` (stale version, name taken), `forbidden`, `fenced` (an old epoch or episode).
 * - `refused`: well-formed, but the current state or the switch does not allow it.
 * - `unavailable`: try again later; nothing was done.
 * - `unknown`: it is not known whether it was done; ask again with the same command id.
 * - `internal`: a defect.
 */
export const PROBLEM_CODES = [
  'invalid',
  'not-found',
  'conflict',
  'forbidden',
  'fenced',
  'refused',
  'unavailable',
  'unknown',
  'internal',
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** One wrong thing: which field, which value, why, and what would be right. */
export interface ProblemDetail {
  /** Path of the field, e.g. `spec.policy.vlan.id`; empty for the whole. */
  readonly field: string;
  /** The offending value as JSON, shortened to 200 characters. */
  readonly value?: string;
  readonly reason: string;
  /** What would be accepted. */
  readonly expected?: string;
}

/** A named, coded fault. `retry` says whether the same request can succeed later. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly retry: boolean;
  readonly details: readonly ProblemDetail[];
}

const RETRYABLE: ReadonlySet<ProblemCode> = new Set(['unavailable', 'unknown']);

export function problem(code: ProblemCode, message: string, details: readonly ProblemDetail[] = []): Problem {
  return { code, message, retry: RETRYABLE.has(code), details };
}

/** A detail with its value rendered; `value` may be anything. */
export function detail(field: string, value: unknown, reason: string, expected?: string): ProblemDetail {
  const rendered = render(value);
  return {
    field,
    reason,
    ...(rendered === undefined ? {} : { value: rendered }),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** `invalid` for one field: the usual way to refuse bad input. */
export function invalid(field: string, value: unknown, reason: string, expected?: string): Problem {
  const d = detail(field, value, reason, expected);
  return problem('invalid', describe(d), [d]);
}

/** One sentence for people: field, value, why, what would be right. */
export function describe(d: ProblemDetail): string {
  const what = d.field === '' ? 'input' : d.field;
  const shown = d.value === undefined ? '' : ` ${d.value}`;
  const right = d.expected === undefined ? '' : `; expected ${d.expected}`;
  return `${what}${shown}: ${d.reason}${right}`;
}

/** A problem as an exception, for places where only throwing is possible (constructors, frameworks). */
export class ProblemError extends Error {
  constructor(
    readonly problem: Problem,
    options?: { cause?: unknown },
  ) {
    super(problem.message, options);
    this.name = 'ProblemError';
  }
}

/** The value, or the problem thrown. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new ProblemError(result.error);
}

function render(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  let text: string;
  try {
    text =
      JSON.stringify(value, (_k, v: unknown) => (typeof v === 'bigint' ? v.toString() : v)) ?? String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}
