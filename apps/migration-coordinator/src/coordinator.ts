import { type Clock, type HostName, type Result } from '#kernel';
import { runningMigrations, type DomainEvent, type Migration, type State } from '#domain';
import { type Follower } from '#event-store';
import {
  SUBJECTS,
  type CommandRequest,
  type CommandResponse,
  type ManagerStatus,
  type Report,
} from '#contracts';
import { PhaseWatch } from '#runtime';
import { EvacuationWatch } from './evacuations.js';
import { proposeAll, type HostReport, type Proposal } from './propose.js';

export interface CoordinatorParts {
  readonly follower: Follower<State, DomainEvent>;
  readonly clock: Clock;
  readonly instance: string;
  /** Whether this copy holds the lease: two that propose do no harm, one saves work. */
  readonly leads: () => boolean;
  readonly ask: (subject: string, request: CommandRequest) => Promise<Result<CommandResponse>>;
  /** What the leader knows of hosts. */
  readonly status: () => Promise<Result<ManagerStatus>>;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** How often deadlines are looked at, and unanswered proposals made again. */
const TICK_MS = 500;
const AGAIN_MS = 200;

/**
 * Watches the log and the hosts' reports, and proposes what comes next. Holds nothing of its own: killed at any
 * moment, another copy (or this one, started again) goes on from the log.
 */
export class Coordinator {
  readonly #reports = new Map<HostName, HostReport & Pick<Report, 'lineage'>>();
  readonly #underWay = new Set<string>();
  /** Refused for good; the same id would get the same answer. */
  readonly #refused = new Set<string>();
  #scheduled = false;
  #stopTick: () => void = () => undefined;
  #stopCommits: () => void = () => undefined;
  #closed = false;

  readonly #phases: PhaseWatch;
  readonly #evacuations = new EvacuationWatch();

  constructor(private readonly parts: CoordinatorParts) {
    this.#phases = new PhaseWatch(parts.clock);
  }

  start(): void {
    this.#stopCommits = this.parts.follower.onCommit(() => this.#soon());
    this.#tick();
    void this.#learn();
  }

  close(): void {
    this.#closed = true;
    this.#stopTick();
    this.#stopCommits();
  }

  heard(report: Report): void {
    this.#reports.set(report.host, report);
    this.#soon();
  }

  /** What hosts said before this copy listened they say again only after seconds. The leader heard it. */
  async #learn(): Promise<void> {
    const told = await this.parts.status();
    if (this.#closed) return;
    if (!told.ok) return void this.parts.clock.after(AGAIN_MS, () => void this.#learn());
    const { lineage, hosts } = told.value;
    for (const { host, state, realised, exceptions } of hosts) {
      const isOurs = state === 'current' || state === 'behind';
      if (lineage === null || realised === null || !isOurs || this.#reports.has(host)) continue;
      this.#reports.set(host, { lineage, realised, exceptions });
    }
    this.#soon();
  }

  #tick(): void {
    this.#stopTick = this.parts.clock.after(TICK_MS, () => {
      this.#evacuations.lookAgain();
      this.#soon();
      this.#tick();
    });
  }

  /** Many commits and reports of one turn make one look. */
  #soon(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#look();
    });
  }

  #look(): void {
    const { follower, leads } = this.parts;
    // What stands behind a commit that can't be read is not known: nothing is proposed on half a state.
    if (follower.status !== 'live') return;
    // Without the lease too: who takes it over must not begin to count only then.
    this.#phases.sawAll(runningMigrations(follower.state));
    if (!leads()) return;
    const reports = { get: (host: HostName) => this.#heardOf(host) };
    const isOverdue = (m: Migration): boolean => this.#phases.isOverdue(m);
    const { state } = follower;
    const proposals = [...proposeAll({ state, reports, isOverdue }), ...this.#evacuations.propose(state)];
    this.#forget(proposals, state);
    for (const proposal of proposals) {
      const { commandId } = proposal;
      if (this.#underWay.has(commandId) || this.#refused.has(commandId)) continue;
      this.#underWay.add(commandId);
      void this.#make(proposal);
    }
  }

  /** Of the current lineage. */
  #heardOf(host: HostName): HostReport | undefined {
    const report = this.#reports.get(host);
    return report?.lineage === this.parts.follower.lineage ? report : undefined;
  }

  /** What is no longer proposed will not be again: a phase is left for good. Nor does a host speak that is no more. */
  #forget(proposals: readonly Proposal[], { hosts }: State): void {
    if (this.#refused.size > 0) {
      const now = new Set(proposals.map((p) => p.commandId));
      for (const commandId of this.#refused) if (!now.has(commandId)) this.#refused.delete(commandId);
    }
    if (this.#reports.size > hosts.size)
      for (const host of this.#reports.keys()) if (!hosts.has(host)) this.#reports.delete(host);
  }

  async #make({ commandId, command }: Proposal): Promise<void> {
    const { ask, instance, log, clock } = this.parts;
    const answer = await ask(SUBJECTS.command('execute'), {
      v: 1,
      commandId,
      correlationId: commandId,
      actor: `coordinator:${instance}`,
      command,
    });
    const fault = !answer.ok ? answer.error : answer.value.ok ? null : answer.value.problem;
    if (fault === null) {
      log.info({ commandId, command }, 'proposal accepted');
    } else if (fault.retry) {
      clock.after(AGAIN_MS, () => {
        this.#underWay.delete(commandId);
        this.#soon();
      });
      return;
    } else {
      // `fenced`: the log moved on before the proposal came; what it says now decides anew.
      if (fault.code !== 'fenced')
        log.warn({ commandId, command, problem: fault.message }, 'proposal refused');
      this.#refused.add(commandId);
    }
    this.#underWay.delete(commandId);
    if (fault === null) this.#refused.add(commandId);
  }
}
