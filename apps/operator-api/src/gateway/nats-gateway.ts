import {
  err,
  ok,
  problem,
  type Clock,
  type Lineage,
  type Problem,
  type Result,
  type Revision,
} from '#kernel';
import {
  checkCommandResponse,
  checkStatusResponse,
  checkWaitResponse,
  SUBJECTS,
  type CommandRequest,
  type ManagerStatus,
  type WaitOutcome,
} from '#contracts';
import { type PortolanNatsClient } from '#platform';
import { type Accepted, type CommandGateway } from '../ports.js';

/** Of one attempt: an answer that a dying leader took along is not waited for longer. The next joins the same command. */
const ATTEMPT_MS = 1000;
/** Of all attempts, where one may have been heard. */
const DEADLINE_MS = 5000;
/** A take-over lasts less: users do not see it. */
const PATIENCE_MS = 3000;
const PAUSE_MS = 20;
/** A long wait is asked in pieces, so that it outlives the leader that it began with. */
const WAIT_SLICE_MS = 2000;
const STATUS_DEADLINE_MS = 700;

type Client = Pick<PortolanNatsClient, 'request'>;

/** Speaks to the leader. Asking again under the same command id is always safe, so every `retry` is retried. */
export class NatsGateway implements CommandGateway {
  /** What is waited for now. */
  readonly #open = new Set<(why: Problem) => void>();

  constructor(
    private readonly client: Client,
    private readonly clock: Clock,
  ) {}

  /** Answers that are still waited for won't come: another leads, or the connection broke. They are asked for anew. */
  interrupt(why: string): void {
    const lost = problem('unknown', `${why}; it may have been done`);
    for (const end of [...this.#open]) end(lost);
  }

  async execute(request: CommandRequest): Promise<Result<Accepted>> {
    const began = this.clock.monotonic();
    let uncertain: Problem | undefined;
    for (;;) {
      const answer = await this.ask(SUBJECTS.command('execute'), request, ATTEMPT_MS, checkCommandResponse);
      if (answer.ok || !answer.error.retry) return answer;
      // Once it may have been done, a later "nobody is there" does not make it undone.
      if (answer.error.code === 'unknown') uncertain = answer.error;
      const limit = uncertain === undefined ? PATIENCE_MS : DEADLINE_MS;
      if (this.clock.monotonic() - began >= limit) return err(uncertain ?? answer.error);
      await this.pause(PAUSE_MS);
    }
  }

  async wait(
    revision: Revision,
    lineage: Lineage | undefined,
    timeoutMs: number,
    correlationId: string,
  ): Promise<Result<WaitOutcome>> {
    const began = this.clock.monotonic();
    for (;;) {
      const left = Math.max(0, Math.round(timeoutMs - (this.clock.monotonic() - began)));
      const slice = Math.min(left, WAIT_SLICE_MS);
      const request = {
        v: 1,
        correlationId,
        revision,
        timeoutMs: slice,
        ...(lineage === undefined ? {} : { lineage }),
      };
      const answer = await this.ask(SUBJECTS.command('wait'), request, slice + ATTEMPT_MS, checkWaitResponse);
      if (answer.ok && (isOver(answer.value.outcome) || slice === left)) return ok(answer.value.outcome);
      const late = this.clock.monotonic() - began >= Math.max(timeoutMs, PATIENCE_MS);
      if (!answer.ok && (!answer.error.retry || late)) return answer;
      // An early "not yet" must not make this a busy loop.
      await this.pause(PAUSE_MS);
    }
  }

  async manager(correlationId: string): Promise<Result<ManagerStatus>> {
    const request = { v: 1, correlationId };
    const answer = await this.ask(
      SUBJECTS.command('status'),
      request,
      STATUS_DEADLINE_MS,
      checkStatusResponse,
    );
    return answer.ok ? ok(answer.value.status) : answer;
  }

  /** One question; a refusal inside the answer counts as much as one of the transport. */
  private async ask<T extends { readonly ok: boolean }>(
    subject: string,
    payload: { readonly correlationId: string },
    deadlineMs: number,
    check: (value: unknown) => Result<T>,
  ): Promise<Result<Extract<T, { ok: true }>>> {
    const { correlationId } = payload;
    const asked = this.client.request<unknown>(subject, payload, { deadlineMs, correlationId });
    const reply = await this.uninterrupted(asked);
    if (!reply.ok) return reply;
    const read = check(reply.value);
    if (!read.ok) return read;
    const value = read.value as { readonly ok: true } | { readonly ok: false; readonly problem: Problem };
    return value.ok ? ok(value as Extract<T, { ok: true }>) : err(value.problem);
  }

  private uninterrupted<T>(asked: Promise<Result<T>>): Promise<Result<T>> {
    return new Promise((resolve, reject) => {
      const end = (why: Problem): void => resolve(err(why));
      this.#open.add(end);
      asked.then(resolve, reject).finally(() => this.#open.delete(end));
    });
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}

/** Done, or nobody is missing but hosts that are down: they could keep it waiting for ever. */
const isOver = ({ waiting }: WaitOutcome): boolean => waiting.every(({ reason }) => reason === 'down');
