import {
  err,
  ok,
  problem,
  ProblemError,
  type Clock,
  type HostName,
  type IdGenerator,
  type Lineage,
  type Problem,
  type Result,
  type Revision,
} from '#kernel';
import { forgotSegments, type Command, type CounterCheckpoint, type DomainEvent, type State } from '#domain';
import {
  openSequencer,
  type Accepted,
  type CommitLog,
  type Lost,
  type ReplicaState,
  type Sequencer,
} from '#event-store';
import {
  type CommandRequest,
  type DocumentKey,
  type FactBatch,
  type HandoverToken,
  type Signer,
  type StateDocument,
  type Verifier,
} from '#contracts';
import {
  Holdings,
  projectAllInTurns,
  Projector,
  takeChanges,
  takeOn,
  type DocumentChange,
  type DocumentStore,
  type KnownDocuments,
  type NotesAtMost,
  type Prepared,
} from '#protocol';
import { clusterRules, PhaseWatch, type ClusterCommit } from '#runtime';
import { asCounters, type LastCheckpoint } from './checkpoints.js';
import { suspectsIn } from './evidence.js';

export interface LeaderParts {
  readonly log: CommitLog;
  readonly store: DocumentStore;
  readonly known: KnownDocuments;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly handoverToken: HandoverToken;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly cluster: string;
  readonly instance: string;
  /** State of the follower in this process; undefined: the log is read. */
  readonly from: ReplicaState<State> | undefined;
  /** What was made ready of that very state; null: nothing was. */
  readonly prepared?: Prepared | null;
  /** How far somebody had come in a log that this one may be an older copy of. */
  readonly lost?: Lost;
  /** After each commit, in order. */
  readonly onCommit: (commit: ClusterCommit, changes: readonly DocumentChange[]) => void;
  /** What the term begins with, before any commit of its own. */
  readonly onBegin: (lineage: Lineage, revision: Revision, holdings: Holdings) => void;
  /** This leader can't go on; another, or a new one here, must take over from the log. */
  readonly onEnd: (why: Problem) => void;
  readonly onTrouble: (what: Problem) => void;
  /** From here on, what is decided reaches the hosts. `documents`: how many stand. */
  readonly onClaimed: (documents: number) => void;
  /** Absent: openings that a forgotten segment stands in the way of are refused. */
  readonly checkpoint?: LastCheckpoint;
  /** Not heard of, so that nobody may take its ports for moving, and no guest is sent there. Absent: none is. */
  readonly isSuspect?: (host: HostName) => boolean;
  readonly onFault: (cause: unknown) => void;
  /** Runs what can wait for answers that are ready to go out, in the order given. Signing takes longer than they do. */
  readonly afterAnswers: (work: () => void) => void;
  readonly notesAtMost?: NotesAtMost;
}

/** Between two looks at what is under way. */
const SETTLING_MS = 5;
/** Before a log that did not answer is asked again. */
const SILENT_LOG_MS = 200;

/** One term of leading: the sequencer and the projector that writes what it decides. Made anew for each term. */
export class Leader {
  #documents = new Map<DocumentKey, StateDocument>();
  /** Kept up by who was given them at the beginning. */
  #holdings: Holdings | null = null;
  #projector: Projector | null = null;
  #projecting: Promise<void> = Promise.resolve();
  /** What was committed while all documents are projected; null: they are there, and follow each commit. */
  #waiting: (() => void)[] | null = null;
  #over = false;
  readonly #phases: PhaseWatch;

  private constructor(
    /** Without the state that it began from: a term may last for months. */
    private readonly parts: Omit<LeaderParts, 'from' | 'prepared'>,
    readonly sequencer: Sequencer<State, Command, DomainEvent>,
  ) {
    this.#phases = new PhaseWatch(parts.clock);
    for (const migration of sequencer.state.migrations.values()) this.#phases.saw(migration);
  }

  static async begin({ from, prepared, ...parts }: LeaderParts): Promise<Result<Leader>> {
    let since: readonly DomainEvent[] | null = null;
    const opened = await openSequencer({
      log: parts.log,
      rules: clusterRules,
      clock: parts.clock,
      ids: parts.ids,
      cluster: parts.cluster,
      actor: parts.instance,
      onFault: parts.onFault,
      onEnd: (_reason, fault) => parts.onEnd(fault),
      ...(from === undefined ? {} : { from }),
      ...(parts.lost === undefined ? {} : { lost: parts.lost }),
      onCaughtUp: (events) => (since = events),
    });
    if (!opened.ok) return opened;
    const leader = new Leader(parts, opened.value);
    leader.sequencer.onCommit((commit, before, after) => leader.#committed(commit, before, after));
    const isOf = prepared && since !== null && prepared.state === from?.state;
    await leader.#startProjector(isOf ? leader.#goOnFrom(prepared, since ?? []) : null);
    return ok(leader);
  }

  get state(): State {
    return this.sequencer.state;
  }

  get lineage(): Lineage | undefined {
    return this.sequencer.head.lineage;
  }

  get revision(): Revision {
    return this.sequencer.head.revision;
  }

  async execute(request: Omit<CommandRequest, 'v'>): Promise<Result<Accepted<DomainEvent>>> {
    const { command } = request;
    if (command.type === 'TimeOutMigration') {
      const { migration: id, episode } = command;
      return this.#submit({
        ...request,
        command: { ...command, stoodMs: Math.floor(this.#phases.stood({ id, episode })) },
      });
    }
    if (command.type === 'AdvanceEvacuation') {
      const silent = [...this.state.hosts.keys()].filter(this.#isSuspect);
      return this.#submit({ ...request, command: { ...command, silent } });
    }
    const host = this.#givenUp(command);
    if (host === null || this.parts.checkpoint === undefined) return this.#submit(request);
    const last = await this.parts.checkpoint(host);
    if (!last.ok) return last;
    return this.#submit({
      ...request,
      command: { ...command, checkpoints: asCounters(last.value) } as Command,
    });
  }

  /** The host whose counters a command gives up, if it owes any and the command does not bring what was last known. */
  #givenUp(command: Command): HostName | null {
    const isLoss = command.type === 'GiveUpCounters' || command.type === 'TakeOver';
    if (!isLoss && !(command.type === 'Delete' && command.kind === 'Host')) return null;
    const host = (command.type === 'Delete' ? command.name : command.host) as HostName;
    return command.checkpoints === undefined && this.state.byHost.has(host) ? host : null;
  }

  readonly #isSuspect = (host: HostName): boolean => this.parts.isSuspect?.(host) ?? false;

  #submit(request: Omit<CommandRequest, 'v'>): Promise<Result<Accepted<DomainEvent>>> {
    const { commandId, actor, reason, correlationId, command } = request;
    return this.sequencer.submit({
      commandId,
      actor,
      correlationId,
      command,
      subject: subjectOf(command),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /** Facts of one host. `later`: nothing was done, and it may be tried again. `repeated`: the log had all of them. */
  async ingest(batch: FactBatch, place: string): Promise<Result<'taken' | 'repeated' | 'later'>> {
    const { host, boot, after, abilities, facts } = batch;
    const commandId = factsCommandId(batch, place);
    const checkpoints = await this.#forgotten(batch);
    if (!checkpoints.ok) {
      this.parts.onTrouble(checkpoints.error);
      return ok('later');
    }
    const answer = await this.execute({
      commandId,
      correlationId: commandId,
      actor: `host:${host}`,
      command: {
        type: 'IngestFacts',
        host,
        boot,
        ...(after === undefined ? {} : { after }),
        ...(abilities === undefined ? {} : { abilities }),
        facts,
        suspects: suspectsIn(this.state, batch, this.#isSuspect),
        ...(checkpoints.value === null ? {} : { checkpoints: checkpoints.value }),
      },
    });
    if (answer.ok) return ok(answer.value.events.length > 0 || answer.value.repeated ? 'taken' : 'repeated');
    // What fills the gap stands behind it in the stream, if anywhere: waiting would hold up every host for ever.
    if (isGap(answer.error)) return err({ ...answer.error, retry: false });
    return answer.error.retry ? ok('later') : err(answer.error);
  }

  /** At which values segments close that their host no longer knows; null: it has forgotten none. */
  async #forgotten({ host, facts }: FactBatch): Promise<Result<readonly CounterCheckpoint[] | null>> {
    if (this.parts.checkpoint === undefined || !forgotSegments(this.state, host, facts)) return ok(null);
    const last = await this.parts.checkpoint(host);
    return last.ok ? ok(asCounters(last.value)) : last;
  }

  /** Takes documents of deleted objects away that every host concerned has carried out. */
  sweep(realised: (host: HostName) => Revision | null): Promise<void> {
    return this.#projector?.sweep(realised) ?? Promise.resolve();
  }

  /** What another term may begin with, and the hash of the message that it is of. Once this one is closed. */
  get left(): { readonly from: Omit<Prepared, 'state'>; readonly hash: string } | null {
    const { hash, lineage } = this.sequencer.head;
    const [projector, holdings, documents] = [this.#projector, this.#holdings, this.#documents];
    if (this.#waiting !== null || projector === null || holdings === null || lineage === undefined)
      return null;
    return { from: { lineage, documents, holdings, compared: projector.compared }, hash };
  }

  /** Answers what is under way, then ends. */
  async close(): Promise<void> {
    this.#over = true;
    await this.sequencer.close();
    this.#projector?.stop();
    await this.#projecting;
    if (this.#projector !== null) this.parts.known.keep(this.#projector.standing);
  }

  /** The state as documents tell it. */
  get #told(): State & { readonly lineage: Lineage } {
    const { lineage, revision } = this.sequencer.head;
    if (lineage === undefined) throw new Error('a sequencer that is open has a lineage');
    return { ...this.sequencer.state, lineage, revision };
  }

  /** `since`: what was read of the log behind what was made ready. Null: it is of a history that is no more. */
  #goOnFrom(
    { lineage, state, documents, ...rest }: Prepared,
    since: readonly DomainEvent[],
  ): Prepared | null {
    const after = this.#told;
    if (lineage !== after.lineage) return null;
    const before = { ...state, lineage };
    const changed = new Set(rest.compared?.changed);
    const note = (key: DocumentKey): void => void changed.add(key);
    takeOn({ ...rest, documents }, before, after, since, this.parts.handoverToken, note);
    const compared = rest.compared && { ...rest.compared, changed };
    return { ...rest, lineage, state: after, documents, compared };
  }

  async #startProjector(prepared: Prepared | null = null): Promise<void> {
    const state = this.#told;
    const { lineage, revision } = state;
    const { began } = this.sequencer;
    const { notesAtMost } = this.parts;
    const waiting: (() => void)[] = [];
    this.#waiting = waiting;
    const breath = (): Promise<void> => this.#pause(1);
    this.#documents =
      prepared?.documents ?? (await projectAllInTurns(state, this.parts.handoverToken, breath));
    const holdings = prepared?.holdings ?? (await Holdings.of(this.#documents, breath));
    if (this.#over) return;
    this.#holdings = holdings;
    this.parts.onBegin(lineage, revision, holdings);
    this.#waiting = null;
    this.#projector = new Projector(
      {
        store: this.parts.store,
        known: this.parts.known.take(),
        compared: prepared?.compared ?? null,
        signer: this.parts.signer,
        verifier: this.parts.verifier,
        clock: this.parts.clock,
        life: this.parts.ids.next(),
        stillLeads: () => this.#stillLeads(),
        carrying: (key) => holdings.carrying(key),
        ...(notesAtMost === undefined ? {} : { notesAtMost }),
        onEnd: (why) => void this.#projectorEnded(why),
        onTrouble: this.parts.onTrouble,
        onClaimed: this.parts.onClaimed,
      },
      this.#documents,
      lineage,
      revision,
      began.lineage === lineage ? began.revision : (0 as Revision),
    );
    this.#projecting = this.#projector.run().catch(this.parts.onFault);
    for (const follow of waiting) follow();
  }

  #committed(commit: ClusterCommit, before: State, after: State): void {
    for (const event of commit.events) this.#watch(event, after);
    this.#publish(commit, before, after);
  }

  #watch(event: DomainEvent, { migrations }: State): void {
    if (event.type !== 'MigrationStarted' && event.type !== 'MigrationAdvanced') return;
    const migration = migrations.get(
      event.type === 'MigrationStarted' ? event.migration.id : event.migration,
    );
    if (migration !== undefined) this.#phases.saw(migration);
  }

  #publish(commit: ClusterCommit, before: State, after: State): void {
    if (this.#waiting !== null) return void this.#waiting.push(() => this.#publish(commit, before, after));
    const { handoverToken } = this.parts;
    const changes = takeChanges(this.#documents, before, after, commit.events, handoverToken);
    const projector = this.#projector;
    this.parts.afterAnswers(() => projector?.commit(commit.lineage, commit.revision, changes));
    this.parts.onCommit(commit, changes);
  }

  /** By the log: nothing stands there that this term did not write. What is under way will tell by its answer. */
  async #stillLeads(): Promise<boolean> {
    for (;;) {
      const last = await this.#lastOfLog();
      const { phase, head, pending } = this.sequencer;
      if (phase === 'ended' || this.#over) return false;
      if (last !== null) {
        if (last <= head.seq) return true;
        if (pending === 0) return false;
      }
      await this.#pause(last === null ? SILENT_LOG_MS : SETTLING_MS);
    }
  }

  /** A log that was read to this message holds what this term did not write; what is under way will tell by itself. */
  isPassed(seq: number): boolean {
    const { phase, head, pending } = this.sequencer;
    return phase !== 'ended' && pending === 0 && seq > head.seq;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.parts.clock.after(ms, resolve));
  }

  /** Null: the log can't be asked now. That ends nothing: whether it still leads is just not known yet. */
  async #lastOfLog(): Promise<number | null> {
    try {
      return await this.parts.log.last();
    } catch (cause) {
      if (!(cause instanceof ProblemError)) throw cause;
      this.parts.onTrouble(cause.problem);
      return null;
    }
  }

  /**
   * The documents are ahead of this log: it was restored from an older copy, or lost its end. What hosts hold then
   * belongs to a history that is no more, so a new one is opened and everything is published under it.
   */
  async #projectorEnded(why: Problem): Promise<void> {
    if (this.#over) return;
    if (why.code !== 'conflict') return this.parts.onEnd(why);
    this.parts.onTrouble(
      problem('conflict', `${why.message}; opening a new lineage and publishing everything anew`),
    );
    await this.#projecting;
    const opened = await this.sequencer.openLineage(
      `the log is behind what was published: ${why.message}`,
      this.parts.instance,
    );
    if (!opened.ok) return this.parts.onEnd(opened.error);
    await this.#startProjector();
  }
}

const isGap = ({ code, details }: Problem): boolean =>
  code === 'unavailable' && details.some((d) => d.field === 'after');

const LONGEST_COMMAND_ID = 128;

/**
 * Of the batch, and of where it stands: a stream that was lost numbers from the beginning, and a batch that was let go
 * comes again. What does not fit is cut off the boot, from its front.
 */
export function factsCommandId({ host, boot, facts }: FactBatch, place: string): string {
  const head = `facts:${host}:`;
  const tail = `:${facts[0]?.seq ?? 0}-${facts.at(-1)?.seq ?? 0}:${place}`;
  const room = Math.max(1, LONGEST_COMMAND_ID - head.length - tail.length);
  return `${head}${boot.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(-room)}${tail}`;
}

/** What a commit is about, for routing and for readers: the first object that the command names. */
function subjectOf(command: Command): string {
  switch (command.type) {
    case 'Apply':
      return command.resources.length === 1
        ? `${command.resources[0]?.kind}/${command.resources[0]?.name}`
        : 'manifest';
    case 'Delete':
      return `${command.kind}/${command.name}`;
    case 'ConnectPort':
      return `PortGroup/${command.group}`;
    case 'DisconnectPort':
    case 'MovePort':
    case 'ResetCounters':
    case 'SetPort':
      return `Port/${command.port}`;
    case 'IngestFacts':
    case 'StartEvacuation':
    case 'GiveUpCounters':
    case 'TakeOver':
      return `Host/${command.host}`;
    case 'StartMigration':
      return `VM/${command.owner}`;
    case 'AdvanceMigration':
    case 'AbortMigration':
    case 'TimeOutMigration':
      return `Migration/${command.migration}`;
    case 'AdvanceEvacuation':
    case 'AbortEvacuation':
      return `Evacuation/${command.evacuation}`;
    case 'RecordRealised':
    case 'RaiseSchemaLevel':
      return 'cluster';
  }
}
