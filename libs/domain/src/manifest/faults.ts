import { describe, problem, type Problem, type ProblemCode, type ProblemDetail } from '#kernel';

/** What kind of wrong decides when several are found: what can never succeed comes first. */
const RANK = ['invalid', 'conflict', 'not-found', 'refused'] as const satisfies readonly ProblemCode[];
export type FaultCode = (typeof RANK)[number];

/** Collects everything that is wrong with one command, so that people fix a file once. */
export class Faults {
  private readonly found: { readonly code: FaultCode; readonly detail: ProblemDetail }[] = [];

  add(code: FaultCode, detail: ProblemDetail): void {
    this.found.push({ code, detail });
  }

  /** Puts details below a path, e.g. of the resource that they are about. */
  under(code: FaultCode, path: string, details: readonly ProblemDetail[]): void {
    for (const d of details) this.add(code, { ...d, field: d.field === '' ? path : `${path}.${d.field}` });
  }

  get count(): number {
    return this.found.length;
  }

  problem(): Problem | null {
    const code = RANK.find((c) => this.found.some((f) => f.code === c));
    if (code === undefined) return null;
    const details = this.found.map((f) => f.detail);
    return problem(code, details.map(describe).join('\n'), details);
  }
}
