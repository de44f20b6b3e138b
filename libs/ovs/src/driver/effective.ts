import { ProblemError, type Clock } from '#kernel';
import { type Flow, type OfMessage } from '#openflow';
import { type OfSession } from '../flow/of-session.js';
import { type RowCache } from '../ovsdb/cache.js';
import { type Unixctl } from '../unixctl/unixctl.js';
import { KICK_TABLE } from './names.js';

/** The first wait may join a pass that began before the commit; the second can't. */
const PASSES = 2;
const KICK_EVERY_MS = 4;
/** Cached decisions up to which emptying the cache costs less than waiting. */
const SMALL_CACHE = 256;

const KICK_FLOW: Flow = { table: KICK_TABLE, priority: 0, match: {}, actions: [], cookie: 0n };
/** Makes the switch revalidate, and leaves nothing: it takes both from one write. */
const KICK: readonly OfMessage[] = [
  { kind: 'flow-mod', command: 'add', flow: KICK_FLOW },
  { kind: 'flow-mod', command: 'delete-strict', flow: KICK_FLOW },
];

/** How to get rid of decisions that the datapath took by old flows. */
export type Method =
  /** Wait for passes of revalidation; holds for every kind of datapath. */
  | 'wait'
  /** Empty the cache: see `methodFor`. */
  | 'purge';

/**
 * Resolves when no later packet is treated by flows that were replaced before the call. Where passes can't be waited
 * for (a vswitchd with datapaths of both types refuses), the cache is emptied.
 */
export async function awaitEffective(
  session: OfSession,
  unixctl: Unixctl,
  clock: Clock,
  method: Method,
): Promise<void> {
  if (method === 'wait') {
    try {
      return await awaitPasses(session, unixctl, clock);
    } catch (cause) {
      if (!(cause instanceof ProblemError) || cause.problem.code !== 'refused') throw cause;
    }
  }
  await unixctl.call('revalidator/purge');
}

/**
 * Emptying the cache takes a tenth of the time, since passes begin at least 5 ms apart. But a thread that decided by
 * the old flows just before may enter its decision just after. It is exact where one thread does all: in a userspace
 * datapath whose devices are not polled by threads of their own, packets, flow changes and control commands are all
 * the main thread's. A large cache is left alone even then: every connection would ask anew at once.
 */
export async function methodFor(
  cache: RowCache,
  datapathType: string,
  decisions: () => Promise<number | undefined>,
): Promise<Method> {
  if (datapathType !== 'netdev' || hasPollingThreads(cache)) return 'wait';
  const count = await decisions();
  return count !== undefined && count <= SMALL_CACHE ? 'purge' : 'wait';
}

const FRESH_MS = 1_000;

/** How many decisions the largest datapath has cached, asked at most once a second: only what is cheaper hangs on it. */
export class CachedDecisions {
  private last: { readonly at: number; readonly count: number | undefined } | undefined;

  constructor(
    private readonly unixctl: Unixctl,
    private readonly clock: Clock,
  ) {}

  /** Undefined: the switch does not tell. */
  count = async (): Promise<number | undefined> => {
    const now = this.clock.monotonic();
    if (this.last === undefined || now - this.last.at >= FRESH_MS) {
      const shown = await this.unixctl.call('upcall/show');
      const flows = [...shown.matchAll(/\(current ([0-9]+)\)/g)].map(([, count]) => Number(count));
      this.last = { at: now, count: flows.length === 0 ? undefined : Math.max(...flows) };
    }
    return this.last.count;
  };
}

function hasPollingThreads(cache: RowCache): boolean {
  for (const [, row] of cache.rows('Open_vSwitch')) if (row.dpdk) return true;
  for (const [, row] of cache.rows('Interface')) if (row.type === 'afxdp') return true;
  return false;
}

/**
 * The datapath's cached decisions go through two complete passes. One begins by itself only every 500 ms; a change
 * of any flow begins one at once.
 */
async function awaitPasses(session: OfSession, unixctl: Unixctl, clock: Clock): Promise<void> {
  const kicker = new Kicker(session, clock);
  try {
    for (let pass = 0; pass < PASSES; pass++) {
      kicker.kick();
      await unixctl.wait('revalidator/wait');
    }
  } finally {
    await kicker.stop();
  }
}

/** Changes a flow now and every few milliseconds; one change at a time, so that a busy switch is not flooded. */
class Kicker {
  private busy: Promise<unknown> | undefined;
  private cancel: () => void = () => undefined;
  private stopped = false;

  constructor(
    private readonly session: OfSession,
    private readonly clock: Clock,
  ) {}

  kick(): void {
    this.cancel();
    // A refused or lost kick only makes the pass come later; losing the session fails the step where it matters.
    this.busy ??= this.session.perform(KICK).then(
      () => (this.busy = undefined),
      () => (this.busy = undefined),
    );
    if (!this.stopped) this.cancel = this.clock.after(KICK_EVERY_MS, () => this.kick());
  }

  /** Resolves when the last kick was worked on, so that its flow is gone for whoever reads next. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.busy;
  }
}
