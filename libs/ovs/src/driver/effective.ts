import { ProblemError, type Clock } from '#kernel';
import { type Flow, type OfMessage } from '#openflow';
import { type OfSession } from '../flow/of-session.js';
import { type Unixctl } from '../unixctl/unixctl.js';
import { KICK_TABLE } from './names.js';

/** The first wait may join a pass that began before the commit; the second can't. */
const PASSES = 2;
const KICK_EVERY_MS = 4;

const KICK_FLOW: Flow = { table: KICK_TABLE, priority: 0, match: {}, actions: [], cookie: 0n };
/** Makes the switch revalidate, and leaves nothing: it takes both from one write. */
const KICK: readonly OfMessage[] = [
  { kind: 'flow-mod', command: 'add', flow: KICK_FLOW },
  { kind: 'flow-mod', command: 'delete-strict', flow: KICK_FLOW },
];

/**
 * Resolves when no later packet is treated by flows that were replaced before the call: the datapath's cached
 * decisions went through two complete passes of revalidation. A pass begins by itself only every 500 ms; a change of
 * any flow begins one at once. Where passes can't be waited for (a vswitchd with datapaths of both types refuses),
 * the cache is emptied instead, which costs an upcall a live connection.
 */
export async function awaitEffective(session: OfSession, unixctl: Unixctl, clock: Clock): Promise<void> {
  const kicker = new Kicker(session, clock);
  try {
    for (let pass = 0; pass < PASSES; pass++) {
      kicker.kick();
      await unixctl.call('revalidator/wait');
    }
  } catch (cause) {
    if (!(cause instanceof ProblemError) || cause.problem.code !== 'refused') throw cause;
    await unixctl.call('revalidator/purge');
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
