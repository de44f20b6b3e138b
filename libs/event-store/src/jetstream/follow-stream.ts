import { type Consumer, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { type Following } from '../commit-log.js';

export interface FollowStreamOptions {
  readonly nc: NatsConnection;
  readonly from: number;
  readonly open: (seq: number) => Promise<Consumer>;
  readonly handler: (m: JsMsg) => void;
  readonly onEnd: (cause: unknown) => void;
}

const RETRY_MS = 200;

/**
 * Reads a stream for ever. The client's ordered consumer heals most faults; whatever it does not, or anything that
 * comes out of order, makes a new one from where the handler stands. An exception in a callback of the client would
 * close its reader without a word, so the handler's are caught here.
 */
export function followStream(options: FollowStreamOptions): Following {
  let next = options.from;
  let stopped = false;
  let failure: { readonly cause: unknown } | undefined;
  let current: ConsumerMessages | undefined;

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
    const consumer = await options.open(next);
    if (stopped) return;
    current = await consumer.consume({ max_messages: 1000, callback: onMessage });
    if (stopped) current.stop();
    await current.closed();
    if (!options.nc.isClosed()) await consumer.delete().catch(() => false);
  };

  const run = async (): Promise<void> => {
    while (!stopped && failure === undefined) {
      try {
        await readOnce();
      } catch (cause) {
        if (options.nc.isClosed()) failure = { cause };
        else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
      if (options.nc.isClosed()) failure ??= { cause: new Error('the connection to NATS was closed') };
    }
    if (!stopped && failure !== undefined) options.onEnd(failure.cause);
  };

  const finished = run();
  return {
    stop: async () => {
      stopped = true;
      current?.stop();
      await finished;
    },
  };
}
