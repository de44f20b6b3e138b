import { type Consumer, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { ArchivedError, type Following } from '../commit-log.js';
import { type Link } from './link.js';

export interface FollowStreamOptions {
  readonly link: Link;
  readonly from: number;
  readonly open: (seq: number) => Promise<Consumer>;
  readonly handler: (m: JsMsg) => void;
  readonly onEnd: (cause: unknown) => void;
  /** A further consumer was made. */
  readonly onAgain?: () => void;
}

const RETRY_MS = 200;
/** A request that ran out while the server stood still is lost: it is noticed when two heartbeats did not come, by default after half a minute. */
const ASKING = { max_messages: 1000, idle_heartbeat: 1_000 };

/**
 * Reads a stream for ever. A lost connection, or anything that comes out of order, makes a new consumer from where the
 * handler stands: at once after a reconnect, where the client's own healing may take seconds. An exception in a callback of the client would
 * close its reader without a word, so the handler's are caught here.
 */
export function followStream(options: FollowStreamOptions): Following {
  const { link } = options;
  let next = options.from;
  let stopped = false;
  let failure: { readonly cause: unknown } | undefined;
  let current: ConsumerMessages | undefined;
  let opened = 0;

  const onMessage = (m: JsMsg): void => {
    if (stopped || failure !== undefined || m.seq < next) return;
    if (m.seq > next) {
      current?.stop();
      return;
    }
    try {
      options.handler(m);
      next++;
    } catch (cause) {
      failure = { cause };
      current?.stop();
    }
  };

  const readOnce = async (): Promise<void> => {
    const consumer = await Promise.race([options.open(next), lost(link)]);
    if (stopped) return;
    if (++opened > 1) options.onAgain?.();
    current = await consumer.consume({ ...ASKING, callback: onMessage });
    if (stopped) current.stop();
    await current.closed();
    // Without waiting: it may be gone with the server, and if not the server drops it after a while.
    if (link.up) void consumer.delete().catch(() => false);
  };

  const run = async (): Promise<void> => {
    while (!stopped && failure === undefined) {
      try {
        await link.settled();
        await readOnce();
      } catch (cause) {
        if (link.nc.isClosed() || cause instanceof ArchivedError) failure = { cause };
        else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
      if (link.nc.isClosed()) failure ??= { cause: new Error('the connection to NATS was closed') };
    }
    if (!stopped && failure !== undefined) options.onEnd(failure.cause);
  };

  const off = link.onChange((up) => {
    if (!up) current?.stop();
  });
  const finished = run().finally(off);
  return {
    stop: async () => {
      stopped = true;
      current?.stop();
      await finished;
    },
  };
}

/** Rejects when the connection goes down: what was asked then would only be given up after seconds. */
function lost(link: Link): Promise<never> {
  return new Promise((_, reject) => {
    const off = link.onChange((up) => {
      if (up) return;
      off();
      reject(new Error('the connection to NATS was lost'));
    });
  });
}
