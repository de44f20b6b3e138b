import { BaseRpcContext } from '@nestjs/microservices';

/** What a command handler may ask about the request it serves (`@Ctx()`). */
export class PortolanNatsContext extends BaseRpcContext<[string]> {
  constructor(
    readonly subject: string,
    readonly correlationId: string,
    /** Monotonic ms (performance.now) after which nobody waits for the answer. */
    readonly deadlineAt: number,
    /** Aborts at the deadline. */
    readonly signal: AbortSignal,
  ) {
    super([subject]);
  }

  /** ms left, never negative. */
  remainingMs(): number {
    return Math.max(0, this.deadlineAt - performance.now());
  }
}
