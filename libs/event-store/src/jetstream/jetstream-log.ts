import {
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type Consumer,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { err, invalid, ok, problem, ProblemError, type Result } from '#kernel';
import {
  checkHeld,
  type AppendError,
  type Following,
  type LogBegin,
  type NewMessage,
  type StoredMessage,
  type Topic,
  type TrimmableLog,
} from '../commit-log.js';
import { AckInbox } from './ack-inbox.js';
import { followStream } from './follow-stream.js';
import { Link } from './link.js';
import { LOG_STREAM } from './streams.js';

export interface JetStreamLogOptions {
  /** Default `LOG`. */
  readonly stream?: string;
  /** First token of the subjects; default `log`. */
  readonly prefix?: string;
  /** How long an append waits for its ack, milliseconds. Default 3,000. */
  readonly ackTimeoutMs?: number;
  /** How long a read waits for the next message, milliseconds. Default 5,000. */
  readonly readTimeoutMs?: number;
  /** Prefix of reply subjects that this connection may use; default `_INBOX`. */
  readonly inboxPrefix?: string;
}

/** Room for the headers of an append in the server's `max_payload`. */
const HEADERS = 512;
const READ_AHEAD = 2000;

/** The log in a JetStream stream, which `ensureStream` has made. */
export class JetStreamLog implements TrimmableLog {
  readonly maxBytes: number;
  readonly #js: JetStreamClient;
  readonly #acks: AckInbox;
  readonly #link: Link;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #subjects: Readonly<Record<Topic, string>>;
  readonly #readTimeoutMs: number;

  private constructor(
    readonly nc: NatsConnection,
    readonly jsm: JetStreamManager,
    options: JetStreamLogOptions,
  ) {
    this.#js = jetstream(nc);
    this.#stream = options.stream ?? LOG_STREAM.name;
    const prefix = (this.#prefix = options.prefix ?? 'log');
    this.#subjects = {
      commit: `${prefix}.commit`,
      chunk: `${prefix}.chunk`,
      repudiation: `${prefix}.repudiation`,
    };
    this.#readTimeoutMs = options.readTimeoutMs ?? 5000;
    this.#link = new Link(nc);
    this.#acks = new AckInbox(nc, this.#link, options.ackTimeoutMs ?? 3000, options.inboxPrefix);
    this.maxBytes = (nc.info?.max_payload ?? 1024 * 1024) - HEADERS;
  }

  /** Throws what the client throws when JetStream does not answer. */
  static async open(nc: NatsConnection, options: JetStreamLogOptions = {}): Promise<JetStreamLog> {
    return new JetStreamLog(nc, await jetstreamManager(nc), options);
  }

  append(
    message: NewMessage,
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return this.appendRun([message], expectedLastSeq, previousId);
  }

  appendRun(
    messages: readonly NewMessage[],
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    for (const { bytes } of messages) {
      if (bytes.length > this.maxBytes) return Promise.resolve(err('too-large'));
    }
    return this.#acks.publish(this.#subjects, messages, { lastSeq: expectedLastSeq, lastMsgId: previousId });
  }

  async *read(fromSeq: number, topic?: Topic): AsyncIterable<readonly StoredMessage[]> {
    const { begin, last: end } = await this.#extent();
    if (fromSeq > end) return;
    checkHeld(fromSeq, begin);
    const consumer = await this.#consumer(fromSeq, topic);
    let batch: StoredMessage[] = [];
    let done = (await this.#ask(() => consumer.info(true))).num_pending === 0;
    let wake = (): void => undefined;
    let [first, gone] = [true, false];
    const messages = await consumer.consume({
      max_messages: READ_AHEAD,
      callback: (m) => {
        if (done) return;
        if (first && topic === undefined && m.seq > fromSeq) gone = true;
        first = false;
        if (m.seq <= end) batch.push(this.#stored(m));
        done = m.seq >= end || m.info.pending === 0;
        wake();
      },
    });
    try {
      while (!done || batch.length > 0) {
        if (batch.length === 0) await this.#next(messages, (fn) => (wake = fn));
        // Taken out between the look at the stream and the first message.
        if (gone) checkHeld(fromSeq, await this.begins());
        const full = batch;
        batch = [];
        if (full.length > 0) yield full;
      }
    } finally {
      await discard(consumer, messages);
    }
  }

  follow(
    fromSeq: number,
    handler: (message: StoredMessage) => void,
    onEnd: (cause: unknown) => void,
    onAgain?: () => void,
  ): Following {
    return followStream({
      link: this.#link,
      from: Math.max(fromSeq, 1),
      open: async (seq) => {
        checkHeld(seq, await this.begins());
        return this.#consumer(seq, undefined);
      },
      handler: (m) => handler(this.#stored(m)),
      onEnd,
      ...(onAgain === undefined ? {} : { onAgain }),
    });
  }

  async last(): Promise<number> {
    return (await this.#extent()).last;
  }

  async begins(): Promise<LogBegin> {
    return (await this.#extent()).begin;
  }

  async trim(first: number, archive: string): Promise<Result<void>> {
    const { config, state } = await this.#info();
    if (config.deny_purge)
      return err(problem('refused', `stream ${this.#stream} was made never to let anything go (deny_purge)`));
    if (first > state.last_seq) return err(invalid('first', first, 'would take out the last message'));
    if (first <= state.first_seq) return ok(undefined);
    await this.#ask(() => this.jsm.streams.update(this.#stream, { ...config, description: archive }));
    await this.#ask(() => this.jsm.streams.purge(this.#stream, { seq: first }));
    return ok(undefined);
  }

  async #extent(): Promise<{ readonly begin: LogBegin; readonly last: number }> {
    const { config, state } = await this.#info();
    const first = Math.max(state.first_seq, 1);
    const { description = '' } = config;
    // An empty stream begins behind its last message.
    if (first === 1 || state.messages === 0) return { begin: { first: 1 }, last: state.last_seq };
    return {
      begin: { first, ...(description === '' ? {} : { archive: description }) },
      last: state.last_seq,
    };
  }

  #info(): Promise<StreamInfo> {
    return this.#ask(() => this.jsm.streams.info(this.#stream));
  }

  /** Ends what waits; the connection stays its owner's. */
  close(): void {
    this.#acks.close();
  }

  #consumer(fromSeq: number, topic: Topic | undefined): Promise<Consumer> {
    return this.#ask(() =>
      this.#js.consumers.get(this.#stream, {
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: Math.max(fromSeq, 1),
        ...(topic === undefined ? {} : { filter_subjects: `${this.#prefix}.${topic}` }),
      }),
    );
  }

  #stored(m: JsMsg): StoredMessage {
    return { seq: m.seq, topic: m.subject.slice(this.#prefix.length + 1) as Topic, bytes: m.data };
  }

  /** Waits for the callback to have been called; a reader that stands still is a problem, not a hang. */
  async #next(messages: ConsumerMessages, onWake: (wake: () => void) => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.#readTimeoutMs);
    });
    const woken = new Promise<'woken'>((resolve) => onWake(() => resolve('woken')));
    const closed = messages.closed().then(() => 'closed' as const);
    const what = await Promise.race([woken, late, closed]);
    clearTimeout(timer);
    if (what !== 'woken')
      throw new ProblemError(problem('unavailable', `the log stopped answering (${what})`));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (cause) {
      const text = `the log does not answer: ${String(cause)}`;
      throw new ProblemError(problem('unavailable', text), { cause });
    }
  }
}

/** Takes the reader's consumer off the server; if that fails the server does so itself after a while. */
async function discard(consumer: Consumer, messages: ConsumerMessages): Promise<void> {
  await messages.close();
  await consumer.delete().catch(() => false);
}
