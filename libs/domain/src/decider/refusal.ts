import { describe, detail, problem, type Problem, type ProblemCode } from '#kernel';

/** Why a rule says no: to a command it becomes a problem, to a fact a recorded refusal. */
export interface Refusal {
  /** Short and stable, for programs: `group-closing`, `mac-duplicate`, `fenced`… */
  readonly code: string;
  readonly field: string;
  readonly value: unknown;
  readonly reason: string;
  readonly expected?: string;
}

export function refusal(
  code: string,
  field: string,
  value: unknown,
  reason: string,
  expected?: string,
): Refusal {
  return { code, field, value, reason, ...(expected === undefined ? {} : { expected }) };
}

export function sentence(r: Refusal): string {
  return describe(detail(r.field, r.value, r.reason, r.expected));
}

/** One problem out of one or more refusals. */
export function refuse(code: ProblemCode, ...refusals: readonly Refusal[]): Problem {
  const details = refusals.map((r) => detail(r.field, r.value, r.reason, r.expected));
  return problem(code, details.map(describe).join('\n'), details);
}

/** Where the refusals of a fact go: one fact may have several (an inventory). */
export type Refuse = (refusal: Refusal) => void;
