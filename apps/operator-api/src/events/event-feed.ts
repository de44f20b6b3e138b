import { ProblemError } from '#kernel';
import { describeEvent, type DomainEvent, type State } from '#domain';
import { type EventView } from '#contracts/http';
import { type Commit } from '#event-store';
import { type ClusterFollower, type ClusterRules, type Log } from '../ports.js';
import { type Drift } from '../views/host.js';
import { objectsOf } from './objects.js';
import { findRevision, readCommits } from './read-commits.js';

export type ClusterCommit = Commit<DomainEvent>;

/** A commit with the states around it where it was seen happening: states share structure, so they cost little. */
interface Seen {
  readonly commit: ClusterCommit;
  readonly before?: State;
  readonly after?: State;
}

export interface EventQuery {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly type?: string | undefined;
  readonly object?: string | undefined;
  /** Leave out what only keeps books: which facts were taken in. */
  readonly quiet?: boolean | undefined;
  readonly limit: number;
}

export interface EventPage {
  readonly items: EventView[];
  /** The first revision not looked at; null at the end. */
  readonly next: number | null;
}

/** Commits kept at hand. Older ones are read from the log. */
const KEPT = 4096;
const KEPT_STATES = 256;
/** Commits looked through for one answer: a rare event must not make one request read the whole log. */
const LOOKED_AT = 20_000;

/** What happened, for people: the newest commits at hand, older ones from the log, new ones as they come. */
export class EventFeed {
  private seen: Seen[] = [];
  private readonly listeners = new Set<(commit: ClusterCommit) => void>();
  private readonly drift = new Map<string, Drift>();
  private stop: (() => void) | undefined;
  private offReload: (() => void) | undefined;

  constructor(
    private readonly follower: ClusterFollower,
    private readonly log: Log,
    private readonly rules: ClusterRules,
  ) {}

  /** After the follower has started. Commits that come while the tail is read are taken once. */
  async start(): Promise<void> {
    const early: Seen[] = [];
    const off = this.follower.onCommit((commit, before, after) => early.push({ commit, before, after }));
    const { lineage, revision } = this.follower;
    const from = Math.max((await this.log.begins()).first, (await this.log.last()) - KEPT);
    for await (const commit of readCommits(this.log, this.rules, from)) {
      if (commit.lineage === lineage && commit.revision <= revision) this.keep({ commit });
    }
    off();
    this.offReload ??= this.follower.onReload(() => void this.reload());
    this.follow();
    for (const seen of early) this.take(seen);
  }

  /** What is at hand may be of a log that is no more. */
  private async reload(): Promise<void> {
    this.stop?.();
    this.seen = [];
    try {
      await this.start();
    } catch (cause) {
      if (!(cause instanceof ProblemError)) throw cause;
      // Without its tail: what is not at hand is read from the log when it is asked for.
      this.follow();
    }
  }

  private follow(): void {
    this.stop = this.follower.onCommit((commit, before, after) => this.take({ commit, before, after }));
  }

  close(): void {
    this.stop?.();
    this.offReload?.();
    this.listeners.clear();
  }

  onCommit(listener: (commit: ClusterCommit) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A commit of the current lineage as it was seen happening. */
  at(revision: number): Seen | undefined {
    return this.seen.findLast((s) => s.commit.revision === revision);
  }

  driftOf(host: string): Drift {
    return this.drift.get(host) ?? { count: 0, last: null };
  }

  /** From `from` on, oldest first; without `from` the last `limit` that match. */
  async query(q: EventQuery): Promise<EventPage> {
    if (q.from === undefined) return { items: this.latest(q), next: null };
    const items: EventView[] = [];
    let looked = 0;
    for await (const commit of this.commitsFrom(q.from)) {
      if (q.to !== undefined && commit.revision > q.to) return { items, next: null };
      const views = viewsOf(commit).filter((e) => matches(e, q));
      // A commit is never split over two pages: the next page begins at a revision.
      if ((items.length > 0 && items.length + views.length > q.limit) || looked >= LOOKED_AT) {
        return { items, next: commit.revision };
      }
      items.push(...views);
      looked += 1;
    }
    return { items, next: null };
  }

  /** Every commit of the current lineage from a revision on, up to the newest. */
  async *commitsFrom(from: number): AsyncGenerator<ClusterCommit> {
    const first = this.seen[0]?.commit.revision ?? Number.POSITIVE_INFINITY;
    const { lineage } = this.follower;
    let next = from;
    if (from < first && lineage !== undefined) {
      for await (const commit of readCommits(
        this.log,
        this.rules,
        await findRevision(this.log, lineage, from),
      )) {
        if (commit.lineage !== lineage || commit.revision < next || commit.revision > this.follower.revision)
          continue;
        next = commit.revision + 1;
        yield commit;
      }
    }
    for (const { commit } of [...this.seen]) if (commit.revision >= next) yield commit;
  }

  private latest(q: EventQuery): EventView[] {
    const items: EventView[] = [];
    for (let i = this.seen.length - 1; i >= 0 && items.length < q.limit; i--) {
      const { commit } = this.seen[i]!;
      if (q.to !== undefined && commit.revision > q.to) continue;
      items.unshift(...viewsOf(commit).filter((e) => matches(e, q)));
    }
    return items.slice(-q.limit);
  }

  private take(seen: Seen): void {
    const last = this.seen.at(-1)?.commit;
    // A new lineage begins its revisions anew: what was before belongs to another history.
    if (last !== undefined && last.lineage !== seen.commit.lineage) this.seen = [];
    else if (last !== undefined && last.revision >= seen.commit.revision) return;
    this.keep(seen);
    for (const listener of this.listeners) listener(seen.commit);
  }

  private keep(seen: Seen): void {
    this.seen.push(seen);
    const old = this.seen.at(-KEPT_STATES - 1);
    if (old?.before !== undefined) this.seen[this.seen.length - KEPT_STATES - 1] = { commit: old.commit };
    if (this.seen.length > 2 * KEPT) this.seen = this.seen.slice(-KEPT);
    for (const event of seen.commit.events) {
      if (event.type === 'HostRemoved') this.drift.delete(event.name);
      if (event.type !== 'DriftObserved') continue;
      this.drift.set(event.host, { count: this.driftOf(event.host).count + 1, last: seen.commit.time });
    }
  }
}

/** The events of a commit as operators see them, in sentences too. They hold no secret that had to be hidden. */
export function viewsOf(commit: ClusterCommit): EventView[] {
  const opening = commit.revision === 1 ? [lineageOpened(commit)] : [];
  return [...opening, ...eventsOf(commit)];
}

/** The first commit of a lineage says why there is one. */
function lineageOpened(commit: ClusterCommit): EventView {
  const { lineage, revision, time, actor, correlationId, commandId } = commit;
  const reason = commit.reason ?? null;
  return {
    lineage,
    revision,
    index: 0,
    time,
    type: 'LineageOpened',
    objects: [],
    sentence: `A new lineage was opened: ${reason ?? 'no reason is given'}`,
    data: { lineage, reason },
    actor,
    reason,
    correlationId,
    commandId,
  };
}

function eventsOf(commit: ClusterCommit): EventView[] {
  return commit.events.map((event, index) => {
    const { type, ...data } = event;
    return {
      lineage: commit.lineage,
      revision: commit.revision,
      index,
      time: commit.time,
      type,
      objects: objectsOf(event),
      sentence: describeEvent(event),
      data,
      actor: commit.actor,
      reason: commit.reason ?? null,
      correlationId: commit.correlationId,
      commandId: commit.commandId,
    };
  });
}

export type EventFilter = Pick<EventQuery, 'type' | 'object' | 'quiet'>;

export function matches(e: EventView, q: EventFilter): boolean {
  if (q.quiet === true && e.type === 'FactsAccepted' && q.type === undefined) return false;
  return (
    (q.type === undefined || e.type === q.type) && (q.object === undefined || e.objects.includes(q.object))
  );
}
