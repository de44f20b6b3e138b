import {
  err,
  ok,
  problem,
  type Clock,
  type HostName,
  type IdGenerator,
  type Problem,
  type Result,
} from '#kernel';
import { type DomainEvent, type State } from '#domain';
import { poisonProblem, type Accepted, type CommitLog, type Follower, type Lost } from '#event-store';
import {
  type CommandOutcome,
  type CommandRequest,
  type CommandResponse,
  type FactBatch,
  type HandoverToken,
  type LeaseAnswer,
  type LeaseQuestion,
  type Report,
  type Signer,
  type StatusResponse,
  type Verifier,
  type WaitRequest,
  type WaitResponse,
} from '#contracts';
import { type Distrust } from '#platform';
import {
  KeptDocuments,
  ReadyDocuments,
  RealisedTracker,
  touchedBy,
  type DocumentChange,
  type DocumentStore,
  type KnownDocuments,
  type NotesAtMost,
  type ReadyOptions,
} from '#protocol';
import { type ClusterCommit } from '#runtime';
import { type LastCheckpoint } from './checkpoints.js';
import { checkDeath, checkEvidence } from './evidence.js';
import { Leader } from './leader.js';
import { leased, Leases } from './leases/leases.js';
import { Takeovers } from './leases/takeovers.js';

export interface ManagerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ManagerParts {
  readonly log: CommitLog;
  readonly store: DocumentStore;
  /** Absent: what the last term here knew. */
  readonly known?: KnownDocuments;
  readonly follower: Follower<State, DomainEvent>;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly handoverToken: HandoverToken;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly cluster: string;
  readonly instance: string;
  readonly logger: ManagerLog;
  readonly checkpoint?: LastCheckpoint;
  /** Takes up or lays down the commands and the facts. */
  readonly setActive: (active: boolean) => Promise<void>;
  /** Still elected? A term that ended by itself is begun anew while this says so. */
  readonly elected: () => boolean;
  /** ms for which one that led before may still take itself for the leader. Absent: it never does. */
  readonly overlapMs?: () => number;
  /** Where it is counted what hosts sent and no honest agent would. */
  readonly distrust?: Pick<Distrust, 'refused' | 'refusedFor' | 'list'>;
  /** See `LeaderParts`; absent: at once. */
  readonly afterAnswers?: (work: () => void) => void;
  /** Absent: by the number of hosts. */
  readonly notesAtMost?: NotesAtMost;
}

const AGAIN_MS = 250;
const WATCH_MS = 500;
const SUM_UP_MS = 1_000;
const SWEEP_MS = 10_000;

/** One copy of the switch-manager: follows the log as a standby, and leads when it is elected. */
export class Manager {
  readonly tracker: RealisedTracker;
  readonly #known: KnownDocuments;
  readonly #ready: ReadyDocuments;
  readonly #leases: Leases;
  #takeovers: Takeovers | null = null;
  #leader: Leader | null = null;
  #changing: Promise<void> = Promise.resolve();
  #timers: (() => void)[] = [];
  /** Goes up with each attempt to lead: what an earlier term has to say concerns nobody. */
  #term = 0;
  #summedUp = 0;
  #lastTrouble = '';
  /** The last commit that changed a document; at the beginning of a term, where it began. */
  #affecting = 0;
  /** What hosts had come to, when most of them were ahead of the log. */
  #reported: Lost | undefined;
  /** What the follower was known to have lost when the term began. */
  #lostBefore: Lost | undefined;

  constructor(private readonly parts: ManagerParts) {
    this.tracker = new RealisedTracker(parts.clock);
    this.#leases = new Leases(parts.clock, parts.overlapMs);
    this.#known = parts.known ?? new KeptDocuments();
    const { clock, follower, handoverToken } = parts;
    this.#ready = new ReadyDocuments({
      clock,
      handoverToken,
      head: () => headOf(follower),
      standing: () => this.#known.standing,
    });
    follower.onCommit((commit, before, after) => {
      this.tracker.followed(commit.lineage, commit.revision, touchedBy(commit.events, before, after));
      this.#ready.follow(commit, before, after);
    });
    follower.onReload(() => {
      if (!this.leads) this.#ready.begin();
    });
    this.#ready.begin();
  }

  get leads(): boolean {
    return this.#leader !== null;
  }

  /** Documents that it would have to look at and write if it led from now on; null: all of them. */
  get behind(): number | null {
    return this.leads ? 0 : this.#ready.behind;
  }

  /** What documents are made of: no host was told of anything that is not in it. Null: this copy does not lead. */
  get state(): State | null {
    return this.#leader?.state ?? null;
  }

  /** Begins a term. */
  elected(): void {
    this.#then(() => this.#begin());
  }

  /** Ends the term: what is under way is answered, then another may go on. */
  lost(reason: string): void {
    this.#then(() => this.#end(reason));
  }

  async close(): Promise<void> {
    this.lost('stopping');
    await this.#changing;
    this.#ready.stop();
  }

  async execute(request: CommandRequest): Promise<CommandResponse> {
    const leader = this.#leader;
    if (leader === null) return { ok: false, problem: notLeading() };
    const { command } = request;
    const doubt =
      checkEvidence(command, (host) => this.tracker.realised(host)) ??
      // What was done once is answered as it was, whoever is heard of since.
      (leader.sequencer.knows(request.commandId)
        ? null
        : checkDeath(command, (host) => this.tracker.isDown(host)));
    if (doubt !== null) return { ok: false, problem: doubt };
    const answer = await leader.execute(request);
    return answer.ok ? this.#accepted(answer.value) : { ok: false, problem: answer.error };
  }

  async wait(request: WaitRequest, remainingMs: number): Promise<WaitResponse> {
    const leader = this.#leader;
    if (leader === null) return { ok: false, problem: notLeading() };
    const { lineage, revision, timeoutMs } = request;
    if (lineage !== undefined && lineage !== leader.lineage) {
      return {
        ok: false,
        problem: problem('conflict', `lineage ${lineage} is no more; it is ${leader.lineage}`),
      };
    }
    if (revision > leader.revision) {
      return {
        ok: false,
        problem: problem('not-found', `revision ${revision} is not there yet; it is ${leader.revision}`),
      };
    }
    const outcome = await this.tracker.wait(revision, Math.min(timeoutMs, remainingMs), lineage);
    return outcome.ok ? { ok: true, outcome: outcome.value } : { ok: false, problem: outcome.error };
  }

  status(): StatusResponse {
    const leader = this.#leader;
    if (leader === null) return { ok: false, problem: notLeading() };
    const { head } = leader.sequencer;
    const status = {
      manager: this.parts.instance,
      role: 'leader' as const,
      lineage: head.lineage ?? null,
      revision: head.revision,
      realisedUpTo: this.tracker.allRealisedUpTo().upTo,
      hosts: this.tracker.standings(),
      refused: this.parts.distrust?.list() ?? [],
      time: this.parts.clock.now(),
    };
    return { ok: true, status };
  }

  /** A report as it came in under a host's subject. */
  report(from: HostName, report: Report): void {
    if (this.#leader === null) return;
    const { distrust } = this.parts;
    this.#leases.heard(from);
    const taken = this.tracker.report(from, report);
    if (taken.ok) {
      // It stands, for people to see, and counts for nothing: every host says so for a while after a new lineage.
      if (report.lineage !== this.#leader.lineage)
        distrust?.refused(from, 'other-lineage', `it is of lineage ${report.lineage}`);
      return;
    }
    distrust?.refusedFor(from, taken.error);
    this.#lookBehind(this.#leader);
  }

  /**
   * A host asks whether what isolates may stay open there; null: this copy is not the one to say so. A leader that slept
   * looks at its lease first: another may be counting already.
   */
  lease(question: LeaseQuestion): LeaseAnswer | null {
    const leader = this.#leader;
    if (leader === null || !this.parts.elected()) return null;
    const granted = this.#leases.grant(question, leader.state, leader.lineage ?? null);
    return { schema: 1, granted: granted.ok, ...(granted.ok ? {} : { reason: granted.error.message }) };
  }

  #isSuspect(host: HostName): boolean {
    return this.tracker.isDown(host) || this.#leases.isSilent(host);
  }

  #takeoversOf(leader: Leader): Takeovers {
    const { clock, ids, instance: actor, logger } = this.parts;
    return new Takeovers({
      clock,
      leases: this.#leases,
      isSuspect: (host) => this.#isSuspect(host),
      state: () => leader.state,
      realised: (host) => this.tracker.realised(host),
      takeOver: async (host, reason) => {
        const commandId = `takeover:${ids.next()}`;
        const realised = this.tracker.realised(host);
        const known = realised === null ? {} : { realised };
        const command = { type: 'TakeOver', host, reason, ...known } as const;
        const done = await leader.execute({ commandId, correlationId: commandId, actor, command, reason });
        if (!done.ok) logger.warn({ host, problem: done.error.message }, 'its ports could not be taken over');
        return done.ok;
      },
    });
  }

  /**
   * Most hosts carry out what this log does not hold: it was restored from a copy, together with the documents. One
   * host's word is not enough, as it might be a lie.
   */
  #lookBehind({ lineage }: Leader): void {
    const revision = this.tracker.mostAreAhead();
    if (revision === null || lineage === undefined || this.#reported?.lineage === lineage) return;
    this.#reported = { lineage, revision, time: 0 };
    this.#ended(
      this.#term,
      problem('conflict', `most hosts report more than the log holds, up to ${revision}`),
    );
  }

  async ingest(batch: FactBatch, place: string): Promise<Result<'taken' | 'later'>> {
    if (this.#leader === null) return err(notLeading());
    const taken = await this.#leader.ingest(batch, place);
    const { distrust } = this.parts;
    if (!taken.ok) {
      if (!taken.error.retry) distrust?.refusedFor(batch.host, taken.error);
      return taken;
    }
    if (taken.value !== 'repeated') return ok(taken.value);
    distrust?.refused(batch.host, 'repeat', 'the log has these facts');
    return ok('taken');
  }

  #accepted(accepted: Accepted<DomainEvent>): CommandResponse {
    const { lineage, revision, repeated, events } = accepted;
    return {
      ok: true,
      revision,
      lineage,
      events: events.length,
      affectedHosts: this.tracker.affectedHosts(revision),
      ...(repeated ? { duplicate: true } : {}),
      result: outcomeOf(events),
    };
  }

  /** Beginnings and ends of terms happen one after the other. */
  #then(work: () => Promise<void>): void {
    this.#changing = this.#changing.then(work).catch((cause: unknown) => {
      this.parts.logger.error({ err: cause }, 'changing the term');
    });
  }

  async #begin(): Promise<void> {
    if (this.#leader !== null || !this.parts.elected()) return;
    const { logger, follower } = this.parts;
    const began = this.parts.clock.monotonic();
    const since = (): number => Math.round(this.parts.clock.monotonic() - began);
    this.#term += 1;
    const term = this.#term;
    this.#lostBefore = follower.lost;
    // What hosts said of a lineage that is no more says nothing of this one, and must not hide what was read of it.
    const lost = this.#reported?.lineage === follower.lineage ? this.#reported : follower.lost;
    const prepared = await this.#ready.take();
    const leader = await Leader.begin({
      afterAnswers: (work) => work(),
      ...this.parts,
      known: this.#known,
      from: follower.capture(),
      prepared,
      ...(lost === undefined ? {} : { lost }),
      onCommit: (commit, changes) => this.#committed(commit, changes),
      onBegin: (lineage, revision, holdings) => {
        this.tracker.begin(lineage, revision, holdings);
        this.#summedUp = 0;
        this.#affecting = revision;
      },
      onEnd: (why) => this.#ended(term, why),
      onTrouble: (what) => logger.warn({ problem: what.message }, 'documents'),
      onClaimed: (documents) => logger.info({ documents, tookMs: since() }, 'the documents are taken over'),
      isSuspect: (host) => this.#isSuspect(host),
      onFault: (cause) => logger.error({ err: cause }, 'a defect in the leader'),
    });
    if (!leader.ok) {
      // Tried again four times a second: said once for each reason.
      if (leader.error.message !== this.#lastTrouble)
        logger.error({ problem: leader.error.message }, 'can’t lead');
      this.#lastTrouble = leader.error.message;
      this.#ready.begin();
      this.#again();
      return;
    }
    this.#lastTrouble = '';
    this.#leader = leader.value;
    this.#leases.begin(leased(leader.value.state));
    this.#takeovers = this.#takeoversOf(leader.value);
    this.#takeovers.begin();
    this.#timers = [
      this.#every(WATCH_MS, () => Promise.resolve(this.#watchLog())),
      this.#every(SUM_UP_MS, () => this.#sumUp()),
      this.#every(SWEEP_MS, () => this.#sweep()),
    ];
    if (!(await this.#setActive(true))) {
      // A leader that nobody can ask is none: the term is given up, and begun anew while the lease is ours.
      await this.#end('commands could not be taken up');
      this.#again();
      return;
    }
    const { lineage, revision } = leader.value;
    logger.info({ lineage, revision, tookMs: since() }, 'this copy leads');
  }

  async #end(reason: string): Promise<void> {
    const leader = this.#leader;
    if (leader === null) return;
    this.#leader = null;
    this.#takeovers?.close();
    for (const stop of this.#timers) stop();
    this.#timers = [];
    this.tracker.end();
    // Whatever becomes of the commands (a connection that breaks just now), the term itself must end.
    await this.#setActive(false);
    await leader.close();
    const { left } = leader;
    if (left === null) this.#ready.begin();
    else this.#ready.goOn(left.from, left.hash);
    this.parts.logger.info({ reason }, 'this copy no longer leads');
  }

  async #setActive(active: boolean): Promise<boolean> {
    try {
      await this.parts.setActive(active);
      return true;
    } catch (cause) {
      this.parts.logger.warn({ err: cause, active }, 'taking up or laying down the commands');
      return false;
    }
  }

  /** The term ended by itself: fenced by another, or the log does not answer. */
  #ended(term: number, why: Problem): void {
    if (term !== this.#term) return;
    this.parts.logger.warn({ problem: why.message }, 'the term ended');
    // By the time that it is its turn, another term may have begun: that one is not to be ended for this.
    this.#then(() => (term === this.#term ? this.#end(why.message) : Promise.resolve()));
    this.#again();
  }

  /** While the lease is still ours, nobody else will: a new term from the log, after a breath. */
  #again(): void {
    this.parts.clock.after(AGAIN_MS, () => {
      if (this.parts.elected()) this.elected();
    });
  }

  #committed(commit: ClusterCommit, changes: readonly DocumentChange[]): void {
    this.tracker.committed(commit.lineage, commit.revision, changes);
    if (changes.length > 0) this.#affecting = commit.revision;
    this.#takeovers?.committed(commit.events);
    for (const event of commit.events)
      if (event.type === 'FactRefused')
        this.parts.distrust?.refused(event.host, `fact:${event.code}`, event.reason);
  }

  /**
   * A leader with nothing to write would not notice that somebody else wrote: what can't be read, or what another did
   * who took himself for the leader for a moment. It must not go on answering as if it knew the end of the log, and what
   * the other was told to do would reach no host.
   */
  #watchLog(): void {
    const { poison, lost, head } = this.parts.follower;
    if (this.#leader === null) return;
    if (poison !== undefined) this.#ended(this.#term, poisonProblem(poison));
    else if (lost !== this.#lostBefore)
      this.#ended(this.#term, problem('conflict', 'the log is not the one that was read before'));
    else if (head !== undefined && this.#leader.isPassed(head.seq))
      this.#ended(this.#term, problem('conflict', 'somebody else has written to the log'));
  }

  /** Says in the log, at most once a second, up to where everything is realised. */
  async #sumUp(): Promise<void> {
    const leader = this.#leader;
    const { upTo, hosts } = this.tracker.allRealisedUpTo();
    if (leader === null || this.#affecting <= this.#summedUp || upTo < this.#affecting) return;
    const id = `realised:${leader.lineage}:${upTo}`;
    const answer = await leader.execute({
      commandId: id,
      correlationId: id,
      actor: this.parts.instance,
      command: { type: 'RecordRealised', upTo, hosts },
    });
    if (answer.ok) this.#summedUp = upTo;
  }

  async #sweep(): Promise<void> {
    await this.#leader?.sweep((host: HostName) => this.tracker.realised(host));
  }

  #every(ms: number, work: () => Promise<void>): () => void {
    let stopped = false;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = this.parts.clock.after(ms, () => {
        work()
          .catch((cause: unknown) => this.parts.logger.error({ err: cause }, 'a periodic task'))
          .finally(() => {
            if (!stopped) next();
          });
      });
    };
    next();
    return () => {
      stopped = true;
      cancel();
    };
  }
}

const headOf = ({ head, state }: Follower<State, DomainEvent>): ReturnType<ReadyOptions['head']> =>
  head?.lineage === undefined
    ? null
    : { lineage: head.lineage, revision: head.revision, hash: head.hash, state };

const notLeading = (): Problem => problem('unavailable', 'this switch-manager does not lead');

/** Names that the command gave and its sender can't know. */
function outcomeOf(events: readonly DomainEvent[]): CommandOutcome {
  const ports = events.flatMap((e) =>
    e.type === 'PortCreated' || e.type === 'PortConnected' ? [e.port] : [],
  );
  const started = events.find((e) => e.type === 'MigrationStarted');
  return {
    ...(ports.length === 0 ? {} : { ports: [...new Set(ports)] }),
    ...(started?.type === 'MigrationStarted' ? { migration: started.migration.id } : {}),
  };
}
