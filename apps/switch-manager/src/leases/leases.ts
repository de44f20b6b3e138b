import { type Clock, type HostName, type Lineage, type PortId, type Result, err, ok, problem } from '#kernel';
import { isolates, LEASE, type State } from '#domain';
import { type LeaseQuestion } from '#contracts';

/**
 * Which host was granted when that its ports of groups that isolate may stay open, by this leader's monotonic clock. What
 * was granted before its term nobody knows: it is counted from its beginning, and from as long after that as whoever led
 * before may take itself for the leader. One that was cut off together with a host hears its questions all that time.
 */
export class Leases {
  #since: number;
  readonly #granted = new Map<HostName, number>();
  /** When hosts that ask were last heard of, by a question or a report. */
  readonly #heard = new Map<HostName, number>();
  /** Something is being taken from these: what they know of is not all any more. */
  readonly #sealed = new Set<HostName>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    /** ms for which a leader believes that it leads after another may have begun to. */
    private readonly overlapMs: () => number = () => 0,
  ) {
    this.#since = clock.monotonic();
  }

  /** `askers`: hosts that asked whoever led before. */
  begin(askers: readonly HostName[] = []): void {
    const now = this.clock.monotonic();
    this.#since = now + this.overlapMs();
    this.#granted.clear();
    this.#heard.clear();
    for (const host of askers) this.#heard.set(host, now);
    this.#sealed.clear();
  }

  /** A problem says why not. */
  grant({ host: name, lineage, realised }: LeaseQuestion, state: State, now: Lineage | null): Result<void> {
    const host = state.hosts.get(name);
    if (host === undefined) return err(problem('not-found', `host ${name} is not defined`));
    this.#heard.set(name, this.clock.monotonic());
    if (this.#sealed.has(name)) return err(problem('unavailable', `ports of ${name} are being taken over`));
    if (lineage !== now || realised < (host.fence ?? 0)) {
      const behind = `${name} has yet to learn what was taken from it, at revision ${host.fence ?? 0}`;
      return err(problem('unavailable', lineage === now ? behind : `${name} is of another lineage`));
    }
    this.#granted.set(name, this.clock.monotonic());
    return ok(undefined);
  }

  /** Of hosts that never asked, nothing is noted: only the others are missed so soon. */
  heard(host: HostName): void {
    if (this.#heard.has(host)) this.#heard.set(host, this.clock.monotonic());
  }

  isSilent(host: HostName): boolean {
    const heard = this.#heard.get(host);
    return heard !== undefined && this.clock.monotonic() - heard > LEASE.silentMs;
  }

  /** ms until its switch has certainly closed what isolates; 0: it has. */
  left(host: HostName): number {
    const last = Math.max(this.#granted.get(host) ?? this.#since, this.#since);
    return Math.max(0, last + LEASE.boundMs - this.clock.monotonic());
  }

  /** No grant until it is unsealed, whatever the host asks meanwhile. */
  async sealed<T>(host: HostName, work: () => Promise<T>): Promise<T> {
    this.#sealed.add(host);
    try {
      return await work();
    } finally {
      this.#sealed.delete(host);
    }
  }
}

/** Hosts with ports that their switches are to close when they are cut off. */
export const leased = (state: State): readonly HostName[] =>
  [...state.groups.values()].some((group) => group.partitionPolicy === 'isolate')
    ? [...state.hosts.keys()].filter((host) =>
        [...(state.byHost.get(host) ?? [])].some(isLeased(state, host)),
      )
    : [];

const isLeased =
  (state: State, host: HostName) =>
  (id: PortId): boolean => {
    const port = state.ports.get(id);
    return port?.active?.host === host && isolates(state, port);
  };
