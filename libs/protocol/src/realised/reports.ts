import {
  detail,
  err,
  invalid,
  ok,
  problem,
  type Clock,
  type HostName,
  type Lineage,
  type Result,
  type Revision,
} from '#kernel';
import { type HostStanding, type Report } from '#contracts';

interface Heard {
  readonly report: Report;
  /** ms, monotonic, and ms since the epoch: by this manager's clock. */
  readonly at: number;
  readonly seenAt: number;
}

/** Silent for longer: down. Three reports may be lost before. */
const DOWN_MS = 15_000;

/** A host's clock may be set back while it runs: only an agent that does not number is ordered by time. */
function isEarlier(report: Report, last: Report): boolean {
  if (report.boot !== last.boot) return false;
  if (report.n !== undefined && last.n !== undefined) return report.n < last.n;
  return report.time < last.time;
}

/** The last report of each host, and what of it may be believed. */
export class Reports {
  private readonly heard = new Map<HostName, Heard>();
  private listeningSince: number;

  constructor(private readonly clock: Clock) {
    this.listeningSince = clock.monotonic();
  }

  /** Whoever listens again has heard nothing meanwhile: that silence was its own, not the hosts'. */
  listen(): void {
    this.listeningSince = this.clock.monotonic();
  }

  /** `from`: the host whose subject it came on. A report of another lineage is kept, for people to see. */
  take(from: HostName, report: Report, lineage: Lineage | null, head: Revision): Result<void> {
    if (report.host !== from)
      return err(invalid('host', report.host, 'is not the host that it came from', from));
    const last = this.heard.get(from)?.report;
    if (last !== undefined && isEarlier(report, last))
      return err(problem('fenced', `a later report of ${from} is known`));
    this.heard.set(from, { report, at: this.clock.monotonic(), seenAt: this.clock.now() });
    if (report.lineage !== lineage || report.realised <= head) return ok(undefined);
    const d = detail('realised', report.realised, 'is ahead of the log', `at most ${head}`);
    return err(
      problem('conflict', `${from} reports revision ${report.realised}, the log ends at ${head}`, [d]),
    );
  }

  forget(host: HostName): void {
    this.heard.delete(host);
  }

  /** Hosts that went while another led. */
  keep(hosts: ReadonlyMap<HostName, unknown>): void {
    for (const host of this.heard.keys()) if (!hosts.has(host)) this.heard.delete(host);
  }

  /** What a host is known to have realised in a lineage: never what the log does not contain. */
  realised(host: HostName, lineage: Lineage | null, head: Revision): Revision | null {
    const report = this.heard.get(host)?.report;
    return report === undefined || report.lineage !== lineage || report.realised > head
      ? null
      : report.realised;
  }

  /** The revision that a host is ahead of the log with; null: it is not. */
  ahead(host: HostName, lineage: Lineage | null, head: Revision): Revision | null {
    const report = this.heard.get(host)?.report;
    return report !== undefined && report.lineage === lineage && report.realised > head
      ? report.realised
      : null;
  }

  exceptions(host: HostName): Report['exceptions'] {
    return this.heard.get(host)?.report.exceptions ?? [];
  }

  lastSeen(host: HostName): number | null {
    return this.heard.get(host)?.seenAt ?? null;
  }

  isDown(host: HostName): boolean {
    const since = Math.max(this.heard.get(host)?.at ?? this.listeningSince, this.listeningSince);
    return this.clock.monotonic() - since > DOWN_MS;
  }

  standing(host: HostName, lineage: Lineage | null, head: Revision, wanted: Revision): HostStanding {
    const report = this.heard.get(host)?.report;
    const current = report !== undefined && report.lineage === lineage;
    return {
      host,
      state: this.state(host, report, lineage, head, wanted),
      realised: current ? report.realised : null,
      received: current ? report.received : null,
      lastSeen: this.lastSeen(host),
      exceptions: report?.exceptions ?? [],
      version: report?.version ?? null,
      driver: report?.driver ?? null,
    };
  }

  private state(
    host: HostName,
    report: Report | undefined,
    lineage: Lineage | null,
    head: Revision,
    wanted: Revision,
  ): HostStanding['state'] {
    if (this.isDown(host)) return 'down';
    if (report === undefined) return 'unheard';
    if (report.lineage !== lineage) return 'other-lineage';
    if (report.realised > head) return 'ahead';
    return report.realised >= wanted ? 'current' : 'behind';
  }
}
