import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { problem, type Clock, type IdGenerator, type Problem } from '#kernel';
import { parseFactBatch, STREAMS, SUBJECTS, type FactBatch } from '#contracts';

/** Consumers of the sequencers, one for each reading; the others are taken out when a new one stands. */
const PREFIX = 'sequencer-';
/** After so long without a word from its reader, a batch is delivered again. */
const ACK_WAIT_MS = 2_000;
const AGAIN_MS = 200;
/** A request that ran out while the server stood still is lost: it is noticed when two heartbeats did not come, by default after half a minute. */
const ASKING = { max_messages: 64, abort_on_missing_resource: true, idle_heartbeat: 1_000 };

export interface FactIntakeOptions {
  readonly nc: NatsConnection;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Resolves `taken` when the batch is in the log, or refused for good. `place`: of this delivery in the stream. */
  readonly ingest: (batch: FactBatch, place: string) => Promise<'taken' | 'later'>;
  /** A message that no honest agent sends; `host`: whose account it came from. */
  readonly onRefused: (host: string, problem: Problem) => void;
  /** Whether a message of a host is read at all; absent: every one. An honest agent sends what was not again. */
  readonly allows?: (host: string, bytes: number) => boolean;
  readonly onFault: (cause: unknown) => void;
}

/**
 * Takes facts out of their stream into the log, strictly one after the other: one batch is under way at a time, also
 * across readers and after a loss. It must be so, since a host's accepted number says that everything before it is
 * in the log too: a batch that overtook another would have the other's facts dropped. A batch is acknowledged only
 * when its commit is stored; one that comes twice changes nothing, since facts are numbered.
 */
export class FactIntake {
  #messages: ConsumerMessages | null = null;
  #inHand: Promise<void> = Promise.resolve();
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(private readonly options: FactIntakeOptions) {}

  /** Reads until stopped; whatever ends a reading begins another. */
  start(): void {
    void this.#run();
  }

  /** Resolves when the batch in hand was answered for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    this.#messages?.stop();
    await this.#inHand.catch(this.options.onFault);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#read();
      } catch (cause) {
        if (!this.#stopped) this.options.onFault(cause);
      }
      await this.#pause();
    }
  }

  async #read(): Promise<void> {
    const { nc, ids } = this.options;
    const manager = await jetstreamManager(nc);
    const name = await newest(manager, `${PREFIX}${ids.next()}`);
    const consumer = await jetstream(nc).consumers.get(STREAMS.facts, name);
    const messages = await consumer.consume(ASKING);
    this.#messages = messages;
    if (this.#stopped) messages.stop();
    for await (const message of messages) {
      if (this.#stopped) return;
      this.#inHand = this.#take(message);
      await this.#inHand;
    }
  }

  async #take(message: JsMsg): Promise<void> {
    const { allows } = this.options;
    if (allows?.(hostOf(message), message.data.length) === false) return message.ack();
    const batch = parseFactBatch(message.data);
    if (!batch.ok) return this.#refuse(message, batch.error);
    // The subject is what the account may publish: it says who speaks, whatever the body claims.
    if (message.subject !== `fact.${batch.value.host}`) {
      const what = `a batch of ${batch.value.host} came under ${message.subject}`;
      return this.#refuse(message, problem('forbidden', what));
    }
    while (!this.#stopped) {
      if ((await this.options.ingest(batch.value, String(message.seq))) === 'taken') return message.ack();
      message.working();
      await this.#pause();
    }
  }

  #refuse(message: JsMsg, why: Problem): void {
    this.options.onRefused(hostOf(message), why);
    message.term();
  }

  /** A breath, cut short by the end. */
  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(AGAIN_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

const hostOf = ({ subject }: JsMsg): string => subject.slice(SUBJECTS.fact('').length);

/**
 * A consumer of its own that goes on where the last one was acknowledged. A reader that was there before is cut off by
 * it: one that is asleep would be given batches, and keep each until its time is up.
 */
export async function newest(manager: JetStreamManager, name: string): Promise<string> {
  const others: string[] = [];
  let done = 0;
  for await (const { name: other, ack_floor, config } of manager.consumers.list(STREAMS.facts)) {
    if (!other.startsWith(PREFIX)) continue;
    others.push(other);
    // A reader that has acknowledged nothing yet has no floor, whatever it began behind.
    done = Math.max(done, ack_floor.stream_seq, (config.opt_start_seq ?? 1) - 1);
  }
  await manager.consumers.add(STREAMS.facts, {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ...(done === 0
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: done + 1 }),
    ack_wait: nanos(ACK_WAIT_MS),
    // What keeps the order: the next batch is not given out before this one was acknowledged.
    max_ack_pending: 1,
  });
  for (const other of others) await manager.consumers.delete(STREAMS.facts, other);
  return name;
}
