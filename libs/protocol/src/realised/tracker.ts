import {
  err,
  ok,
  problem,
  type Clock,
  type HostName,
  type Lineage,
  type Problem,
  type Result,
  type Revision,
} from '#kernel';
import { type HostStanding, type Report, type WaitingHost, type WaitOutcome } from '#contracts';
import { hostOfKey, type DocumentChange } from '../projection/documents.js';
import { type Touched } from '../projection/touched.js';
import { affectedBy, hindering, targetsOf, type Affected } from './affected.js';
import { Holdings } from './holdings.js';
import { Reports } from './reports.js';

/** Revisions of which it is known what they affect; of older ones, all hosts are held to be concerned. */
const KNOWN = 10_000;
/** The same of what another leader decided: what is asked for again was decided just before it ended. */
const PAST = 300;
/** Silence makes a host down without any message: waits look again by themselves. */
const LOOK_AGAIN_MS = 1000;

interface Wait {
  /** The answer would come from a leader that leads no more. */
  readonly end: () => void;
  /** One of the missing. Nothing is done before it is there, so the reports of others change nothing. */
  readonly host: HostName | undefined;
  readonly wake: () => void;
}

/** Why a host is behind, where it says so: nothing of what is wanted could be carried out. */
const isFailure = ({ port, code }: Report['exceptions'][number]): boolean =>
  port === null && code === 'switch-failed';

/**
 * Who has to realise which revision, and who has. Fed with every commit's document changes, live and in replay, and
 * with the hosts' reports.
 */
export class RealisedTracker {
  private holdings = new Holdings();
  private readonly reports: Reports;
  private readonly affected = new Map<Revision, Affected>();
  /** The same of what others decided, as it was read from the log: at least what they changed. */
  private past: { readonly lineage: Lineage | null; readonly affected: Map<Revision, Affected> } = {
    lineage: null,
    affected: new Map(),
  };
  /** Last revision that concerns a host. */
  private readonly wanted = new Map<HostName, Revision>();
  private readonly waits = new Set<Wait>();
  private lineage: Lineage | null = null;
  private head = 0 as Revision;
  private upTo = 0 as Revision;

  constructor(private readonly clock: Clock) {
    this.reports = new Reports(clock);
  }

  /** For a start from a snapshot: what stands at a revision, whose past is not known. */
  begin(lineage: Lineage, revision: Revision, holdings: Holdings): void {
    this.holdings = holdings;
    this.reports.keep(holdings.hosts);
    this.reports.listen();
    this.enter(lineage);
    this.head = revision;
  }

  committed(lineage: Lineage, revision: Revision, changes: readonly DocumentChange[]): void {
    if (lineage !== this.lineage) this.enter(lineage);
    for (const change of changes) {
      this.holdings.take(change);
      this.forgetHost(change);
    }
    const affected = affectedBy(changes);
    this.head = revision;
    this.affected.set(revision, affected);
    this.affected.delete((revision - KNOWN) as Revision);
    for (const host of targetsOf(affected, this.holdings)) this.wanted.set(host, revision);
    this.look();
  }

  /**
   * A commit as a standby reads it. Whoever takes over is asked for the last commands of another, too, and would wait
   * for all hosts if it did not know whom they concern.
   */
  followed(lineage: Lineage, revision: Revision, touched: Touched): void {
    if (this.past.lineage !== lineage) this.past = { lineage, affected: new Map() };
    this.past.affected.delete((revision - PAST) as Revision);
    if (lineage === this.lineage && this.affected.has(revision)) return;
    const { hosts, ports, groups, switches, sets } = touched;
    this.past.affected.set(revision, { own: hosts, ports, groups, switches, sets });
  }

  /** What a host said that is no more says nothing of one that comes under its name. */
  private forgetHost({ key, document }: DocumentChange): void {
    const host = hostOfKey(key) as HostName | null;
    if (host === null || document.type !== 'tombstone' || document.of !== 'host') return;
    this.wanted.delete(host);
    this.reports.forget(host);
  }

  /**
   * Takes a host's report in. A problem says why it counts for nothing: it came from another host, is older than one
   * known, names a host that does not exist, or is ahead of the log (then a restore may have cut the log short).
   */
  report(from: HostName, report: Report): Result<void> {
    if (!this.holdings.hosts.has(from)) return err(problem('not-found', `host ${from} is not defined`));
    const taken = this.reports.take(from, report, this.lineage, this.head);
    this.look(from);
    return taken;
  }

  /** More than half of all hosts report what the log does not hold: up to which revision; else null. */
  mostAreAhead(): Revision | null {
    const { hosts } = this.holdings;
    const ahead = [...hosts.keys()].flatMap((h) => this.reports.ahead(h, this.lineage, this.head) ?? []);
    return ahead.length * 2 > hosts.size ? (Math.max(...ahead) as Revision) : null;
  }

  affectedHosts(revision: Revision): HostName[] {
    return [...targetsOf(this.affectedBy(revision), this.holdings)].sort();
  }

  private affectedBy(revision: Revision): Affected | undefined {
    const known = this.affected.get(revision);
    return known ?? (this.past.lineage === this.lineage ? this.past.affected.get(revision) : undefined);
  }

  /** What a host is known to have realised in the current lineage. */
  realised(host: HostName): Revision | null {
    return this.reports.realised(host, this.lineage, this.head);
  }

  /** Not heard of for a while; nor one that this leader has not listened to for so long. */
  isDown(host: HostName): boolean {
    return this.reports.isDown(host);
  }

  /** As it stands now. Hosts that are down are among `waiting`: whether to wait for them is the caller's to say. */
  outcome(revision: Revision): Result<WaitOutcome> {
    const { lineage } = this;
    if (lineage === null || revision > this.head) return err(this.unknown(revision));
    const realised: HostName[] = [];
    const waiting: WaitingHost[] = [];
    for (const host of this.affectedHosts(revision)) {
      const why = this.missing(host, revision);
      if (why === null) realised.push(host);
      else waiting.push(why);
    }
    const targets = realised.length + waiting.length;
    return ok({ done: waiting.length === 0, lineage, revision, targets, realised, waiting });
  }

  /**
   * Until it is done, or every host that is missing is down (they could keep it waiting for ever), or the time is up.
   * `lineage`: the one that the revision is of, if the caller knows.
   */
  async wait(
    revision: Revision,
    timeoutMs: number,
    lineage: Lineage | null = this.lineage,
  ): Promise<Result<WaitOutcome>> {
    const deadline = this.clock.monotonic() + timeoutMs;
    for (;;) {
      if (lineage !== this.lineage)
        return err(problem('conflict', `revision ${revision} is of another lineage than the log now has`));
      const outcome = this.outcome(revision);
      if (outcome.ok && outcome.value.waiting.every((w) => w.reason === 'down')) return outcome;
      const left = deadline - this.clock.monotonic();
      if (left <= 0) return outcome;
      const missing = outcome.ok ? outcome.value.waiting.find((w) => w.reason !== 'down') : undefined;
      if (!(await this.change(missing?.host, Math.min(left, LOOK_AGAIN_MS))))
        return err(problem('unavailable', 'this switch-manager leads no more'));
    }
  }

  /** The term is over: who waits is told at once, and can ask the next leader. */
  end(): void {
    for (const { end } of [...this.waits]) end();
  }

  /** The last revision such that it and all before it are realised on every host concerned, without exceptions. */
  allRealisedUpTo(): { readonly upTo: Revision; readonly hosts: number } {
    while (this.upTo < this.head) {
      const next = (this.upTo + 1) as Revision;
      const targets = targetsOf(this.affected.get(next), this.holdings);
      if ([...targets].some((host) => this.missing(host, next) !== null)) break;
      this.upTo = this.affected.has(next) ? next : this.leap(next, targets);
    }
    return { upTo: this.upTo, hosts: this.holdings.hosts.size };
  }

  standings(): HostStanding[] {
    return [...this.holdings.hosts.keys()].sort().map((host) => {
      const wanted = this.wanted.get(host) ?? (0 as Revision);
      return this.reports.standing(host, this.lineage, this.head, wanted);
    });
  }

  /** Revisions whose effect is not known concern all hosts, one like the other: what all have is true of many at once. */
  private leap(next: Revision, targets: ReadonlySet<HostName>): Revision {
    const [firstKnown = this.head + 1] = this.affected.keys();
    const lowest = Math.min(...[...targets].map((host) => this.realised(host) ?? 0));
    return Math.max(next, Math.min(firstKnown - 1, lowest, this.head)) as Revision;
  }

  private missing(host: HostName, revision: Revision): WaitingHost | null {
    const realised = this.realised(host);
    const lastSeen = this.reports.lastSeen(host);
    if (realised === null || realised < revision) {
      const reason = this.reports.isDown(host) ? 'down' : 'behind';
      return {
        host,
        realised,
        lastSeen,
        reason,
        exceptions: this.reports.exceptions(host).filter(isFailure),
      };
    }
    const affected = this.affectedBy(revision);
    const exceptions = hindering(this.reports.exceptions(host), affected, host, this.holdings);
    return exceptions.length === 0 ? null : { host, realised, lastSeen, reason: 'exception', exceptions };
  }

  private unknown(revision: Revision): Problem {
    return problem('not-found', `revision ${revision} is not in the log, which ends at ${this.head}`);
  }

  /** Revisions go on in a new lineage, but what hosts reported of the old one says nothing about it. */
  private enter(lineage: Lineage): void {
    this.lineage = lineage;
    this.affected.clear();
    this.wanted.clear();
    this.upTo = 0 as Revision;
  }

  /** `from`: only what this host reported is new. */
  private look(from?: HostName): void {
    for (const { host, wake } of [...this.waits])
      if (from === undefined || host === undefined || host === from) wake();
  }

  /** False: there will be none. */
  private change(host: HostName | undefined, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (goesOn: boolean): void => {
        cancel();
        this.waits.delete(wait);
        resolve(goesOn);
      };
      const wake = (): void => settle(true);
      const wait: Wait = { host, wake, end: () => settle(false) };
      const cancel = this.clock.after(ms, wake);
      this.waits.add(wait);
    });
  }
}
