import { type Clock, type HostName } from '#kernel';

/** Hosts report at least every 5 s: what is older may be of one that is gone. */
const FRESH_MS = 6_000;
/** Hosts of a cluster, several times over: whoever invents more names is not kept in mind. */
const MOST = 20_000;

/**
 * The last report of each host, for a standby: every host has one for each change, and whoever does not lead has no
 * use for them until it does. Then it knows who stands where without waiting for all to tell again.
 */
export class UnreadReports {
  readonly #last = new Map<HostName, { readonly data: Uint8Array; readonly at: number }>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  put(host: HostName, data: Uint8Array): void {
    if (this.#last.size >= MOST && !this.#last.has(host)) return;
    this.#last.set(host, { data, at: this.clock.monotonic() });
  }

  /** All that are fresh; none is kept. */
  take(): (readonly [HostName, Uint8Array])[] {
    const since = this.clock.monotonic() - FRESH_MS;
    const fresh = [...this.#last].flatMap(([host, { data, at }]) =>
      at < since ? [] : [[host, data] as const],
    );
    this.#last.clear();
    return fresh;
  }
}
