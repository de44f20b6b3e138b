import { problem, ProblemError, type Lineage } from '#kernel';
import { compareLedgers, LedgerRecount, type DomainEvent, type State } from '#domain';
import { type LedgerAudit } from '#contracts/http';
import { poisonProblem, type Replica, type StoredMessage } from '#event-store';

const MOST_TOLD = 1000;

/**
 * Reads a log message by message and recounts its ledgers on the way. The replica checks the chain, and folds the state
 * only where its rules do. What it takes is one state and a few figures a port, however long the log is.
 */
export class LedgerAuditing<S> {
  readonly #recount = new LedgerRecount();
  readonly #faults: LedgerAudit['faults'] = [];
  readonly #began = performance.now();
  #commits = 0;
  #untold = 0;

  constructor(readonly replica: Replica<S, DomainEvent>) {}

  /** Throws a ProblemError at what can't be read. */
  take(message: StoredMessage): void {
    const folded = this.replica.fold(message);
    if (!folded.ok) throw new ProblemError(poisonProblem(folded.error));
    if (folded.value.kind === 'late-repudiation') {
      const text = 'a commit was repudiated while the log was read; ask again';
      throw new ProblemError(problem('unavailable', text));
    }
    if (folded.value.kind !== 'commit') return;
    this.#commits += 1;
    for (const event of folded.value.commit.events) {
      const what = this.#recount.take(event);
      if (what !== null && 'port' in event)
        this.#tell(this.#faults, { revision: folded.value.commit.revision, port: event.port, what });
    }
  }

  hasRead(lineage: Lineage | undefined, revision: number): boolean {
    const { head } = this.replica;
    return head.lineage === lineage && head.revision >= revision;
  }

  /** `state`: what is shown of the ledgers at the end of what was read. */
  audit(state: State, against: LedgerAudit['against']): LedgerAudit {
    const { head } = this.replica;
    const differences: LedgerAudit['differences'] = [];
    for (const { port, what, log, state: shown } of compareLedgers(this.#recount.ledgers, state))
      this.#tell(differences, { port, what, log, shown });
    return {
      lineage: head.lineage ?? null,
      revision: head.revision,
      against,
      commits: this.#commits,
      ports: this.#recount.ledgers.size,
      segments: this.#recount.segments,
      agree: this.#faults.length + differences.length === 0,
      faults: this.#faults,
      differences,
      more: this.#untold,
      elapsedMs: Math.round(performance.now() - this.#began),
    };
  }

  #tell<T>(list: T[], one: T): void {
    if (list.length < MOST_TOLD) list.push(one);
    else this.#untold += 1;
  }
}
