import { Inject, Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, detail, problem, ProblemError } from '#kernel';
import { type DomainEvent, type State } from '#domain';
import { type LedgerAudit, type LedgerAuditLine, type ProblemBody } from '#contracts/http';
import { Replica, startReplica, type ReplicaRules } from '#event-store';
import { currentCorrelation } from '#platform';
import { problemJson } from '#platform/http';
import { FOLLOWER, LOG, RULES, type ClusterFollower, type ClusterRules, type Log } from '../ports.js';
import { LedgerAuditing } from './ledger-audit.js';
import { messageOf, readLines, repudiations, unreadable } from './lines.js';
import { SLICE } from './replay.service.js';

/** Messages between two words on how far it has come. */
const TOLD_EVERY = 10_000;

/** Holds what is shown of ledgers against the log. One at a time, in slices: the API goes on answering. */
@Injectable()
export class LedgerAuditService {
  private busy = false;

  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(LOG) private readonly log: Log,
    @Inject(RULES) private readonly rules: ClusterRules,
  ) {}

  /**
   * Of this cluster, as lines of the answer. Without `asOf` what this copy shows now is compared; of a past revision it
   * is what the log folds to.
   */
  async *live(asOf: number | undefined): AsyncGenerator<LedgerAuditLine> {
    const { lineage, revision, state } = this.follower;
    const target = asOf ?? revision;
    if (target > revision) {
      const d = detail('asOf', target, 'does not exist yet', `up to ${revision}`);
      throw new ProblemError(problem('not-found', describe(d), [d]));
    }
    this.begin();
    try {
      if (target === revision) {
        const auditing = new LedgerAuditing(await startReplica(this.log, stateless(this.rules)));
        yield* this.read(auditing, () => auditing.hasRead(lineage, target));
        yield { audit: auditing.audit(state, 'live') };
      } else {
        const auditing = new LedgerAuditing(await startReplica(this.log, this.rules));
        yield* this.read(auditing, () => auditing.hasRead(lineage, target));
        yield { audit: auditing.audit(auditing.replica.state, 'replay') };
      }
    } catch (cause) {
      if (!(cause instanceof ProblemError)) throw cause;
      // The answer has begun: its status can't say it any more.
      yield { problem: problemJson(cause.problem, currentCorrelation()) as ProblemBody };
    } finally {
      this.busy = false;
    }
  }

  /** Of a log that somebody sends. */
  async file(body: AsyncIterable<Uint8Array>): Promise<LedgerAudit> {
    this.begin();
    try {
      const lines = await readLines(body);
      const replica = new Replica<State, DomainEvent>(this.rules, undefined, repudiations(lines));
      const auditing = new LedgerAuditing(replica);
      for (let i = 0; i < lines.length; i++) {
        if (i % SLICE === SLICE - 1) await nextTurn();
        takeLine(auditing, lines, i);
      }
      return auditing.audit(replica.state, 'replay');
    } finally {
      this.busy = false;
    }
  }

  private begin(): void {
    if (this.busy)
      throw new ProblemError(problem('unavailable', 'ledgers are being verified; try again later'));
    this.busy = true;
  }

  private async *read<S>(
    auditing: LedgerAuditing<S>,
    isDone: () => boolean,
  ): AsyncGenerator<LedgerAuditLine> {
    const of = await this.log.last();
    yield { progress: { read: 0, of } };
    for await (const batch of this.log.read(1)) {
      for (const message of batch) {
        auditing.take(message);
        if (isDone()) return;
        if (message.seq % SLICE === 0) await nextTurn();
        if (message.seq % TOLD_EVERY === 0) yield { progress: { read: message.seq, of } };
      }
    }
  }
}

/** Reads the chain, and folds nothing. */
const stateless = (rules: ClusterRules): ReplicaRules<null, DomainEvent> => ({
  ...rules,
  decider: { initial: null, evolve: () => null },
});

function takeLine(auditing: LedgerAuditing<State>, lines: readonly Buffer[], i: number): void {
  try {
    auditing.take(messageOf(lines, i));
  } catch (cause) {
    throw cause instanceof ProblemError ? unreadable(i + 1, cause.problem.message) : cause;
  }
}
