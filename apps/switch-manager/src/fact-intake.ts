import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JsMsg,
} from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { type Problem } from '#kernel';
import { parseFactBatch, STREAMS, type FactBatch } from '#contracts';

const DURABLE = 'sequencer';
/** Batches under way at once; their order within a host is kept by their numbers, not by this. */
const IN_FLIGHT = 64;

export interface FactIntakeOptions {
  readonly nc: NatsConnection;
  /** Resolves `taken` when the batch is in the log, or refused for good. `place`: of this delivery in the stream. */
  readonly ingest: (batch: FactBatch, place: string) => Promise<'taken' | 'later'>;
  /** A message that no honest agent sends. */
  readonly onRefused: (subject: string, problem: Problem) => void;
  readonly onFault: (cause: unknown) => void;
}

/**
 * Takes facts out of their stream, one after the other, into the log. A batch is acknowledged only when its commit
 * is stored; one that comes twice changes nothing, since facts are numbered.
 */
export class FactIntake {
  #messages: ConsumerMessages | null = null;
  #stopped = false;

  constructor(private readonly options: FactIntakeOptions) {}

  async start(): Promise<void> {
    const { nc } = this.options;
    const manager = await jetstreamManager(nc);
    await manager.consumers.add(STREAMS.facts, {
      durable_name: DURABLE,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: 10_000_000_000,
      max_ack_pending: IN_FLIGHT,
    });
    const consumer = await jetstream(nc).consumers.get(STREAMS.facts, DURABLE);
    this.#messages = await consumer.consume({ max_messages: IN_FLIGHT });
    void this.#run(this.#messages);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#messages?.close();
  }

  async #run(messages: ConsumerMessages): Promise<void> {
    try {
      for await (const message of messages) {
        if (this.#stopped) return;
        await this.#take(message);
      }
    } catch (cause) {
      if (!this.#stopped) this.options.onFault(cause);
    }
  }

  async #take(message: JsMsg): Promise<void> {
    const batch = parseFactBatch(message.data);
    if (!batch.ok) {
      this.options.onRefused(message.subject, batch.error);
      return message.term();
    }
    // The subject is what the account may publish: it says who speaks, whatever the body claims.
    if (message.subject !== `fact.${batch.value.host}`) {
      this.options.onRefused(message.subject, {
        code: 'forbidden',
        message: `a batch of ${batch.value.host} came under ${message.subject}`,
        retry: false,
        details: [],
      });
      return message.term();
    }
    if ((await this.options.ingest(batch.value, String(message.seq))) === 'taken') message.ack();
    else message.nak(200);
  }
}
