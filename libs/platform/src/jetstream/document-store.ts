import {
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JsMsg,
} from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { err, ok, problem, type Problem, type Result } from '#kernel';
import { STREAMS, SUBJECTS, type DocumentKey } from '#contracts';
import { type DocumentStore, type PutError, type StoreContent, type StoredDocument } from '#protocol';
import { type NatsLink } from '../nats/link.js';
import { PutInbox } from './ack-inbox.js';
import { type FollowedDocuments } from './followed-documents.js';

export interface JetStreamStoreOptions {
  /** How long a put waits for its answer, ms. Default 3,000. */
  readonly ackTimeoutMs?: number;
  /** How long reading waits for the next message, ms. Default 5,000. */
  readonly readTimeoutMs?: number;
  /** What a standby has read already; what it does not know in time is read anew. */
  readonly followed?: Pick<FollowedDocuments, 'take' | 'stop'>;
}

const PREFIX = SUBJECTS.doc('').length;
const NO_MESSAGE = 10037;
const READ_AHEAD = 2000;

/** The document stream for its one writer. The stream is made by whoever sets up the cluster's streams. */
export class JetStreamDocumentStore implements DocumentStore {
  private readonly id = randomUUID();
  private puts = 0;
  private lastPut: { readonly seq: number; readonly id: string } | null = null;
  private inbox: { readonly nc: NatsConnection; readonly puts: PutInbox } | null = null;
  private readonly off: () => void;

  constructor(
    private readonly link: Pick<NatsLink, 'current' | 'onState' | 'inboxPrefix'>,
    private readonly options: JetStreamStoreOptions = {},
  ) {
    // What was under way when the connection broke may be stored or not: better known now than after a time-out.
    this.off = link.onState((state) => {
      if (state !== 'connected') this.inbox?.puts.giveUp();
    });
  }

  async load(): Promise<Result<StoreContent>> {
    this.lastPut = null;
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      const { streams } = await jetstreamManager(nc);
      const { state } = await streams.info(STREAMS.documents);
      if (state.messages === 0) {
        // What it will hold, this one writes.
        this.options.followed?.stop();
        return ok({ lastSeq: state.last_seq, documents: [] });
      }
      const last = await streams.getMessage(STREAMS.documents, { last_by_subj: SUBJECTS.doc('>') });
      if (last === null) return err(problem('unavailable', 'the last document went while it was asked for'));
      const stored = { key: last.subject.slice(PREFIX), bytes: last.data, seq: last.seq };
      const standing = await this.options.followed?.take(stored);
      if (standing) return ok({ lastSeq: state.last_seq, documents: [], standing });
      return ok({ lastSeq: state.last_seq, documents: await this.readAll(nc, last.seq) });
    } catch (cause) {
      return err(problem('unavailable', `the documents can't be read: ${String(cause)}`));
    }
  }

  put(
    key: DocumentKey,
    bytes: Uint8Array,
    expectedLastSeq: number,
  ): Promise<Result<{ readonly seq: number }, PutError>> {
    const nc = this.link.current();
    if (nc === undefined) return Promise.resolve(err('unavailable'));
    const msgId = `${this.id}-${(this.puts += 1)}`;
    // Of what is pipelined, each names the one before: where that was refused, the number alone might fit again.
    const lastMsgId = this.lastPut?.seq === expectedLastSeq ? this.lastPut.id : null;
    this.lastPut = { seq: expectedLastSeq + 1, id: msgId };
    const expect = { msgId, lastSeq: expectedLastSeq, lastMsgId };
    return this.inboxOf(nc).publish(SUBJECTS.doc(key), bytes, expect);
  }

  async remove(seq: number): Promise<Result<void>> {
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      await (await jetstreamManager(nc)).streams.deleteMessage(STREAMS.documents, seq, false);
      return ok(undefined);
    } catch (cause) {
      if (cause instanceof JetStreamApiError && cause.code === NO_MESSAGE) return ok(undefined);
      return err(problem('unavailable', `message ${seq} can't be taken out: ${String(cause)}`));
    }
  }

  /** Ends what waits; the connection stays its owner's. */
  close(): void {
    this.off();
    this.inbox?.puts.close();
    this.inbox = null;
  }

  private inboxOf(nc: NatsConnection): PutInbox {
    if (this.inbox?.nc !== nc) {
      this.inbox?.puts.close();
      const timeout = this.options.ackTimeoutMs ?? 3000;
      this.inbox = { nc, puts: new PutInbox(nc, this.link.inboxPrefix, timeout) };
    }
    return this.inbox.puts;
  }

  /**
   * Up to the message `end`, which stood there a moment ago. How many are yet to come, older servers get wrong where
   * keys were written over or taken out: waited for, a new leader would never write.
   */
  private async readAll(nc: NatsConnection, end: number): Promise<StoredDocument[]> {
    const consumer = await jetstream(nc).consumers.get(STREAMS.documents);
    const documents: StoredDocument[] = [];
    let messages: ConsumerMessages | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const ms = this.options.readTimeoutMs ?? 5000;
        let timer = setTimeout(() => reject(new Error(`nothing came for ${ms} ms`)), ms);
        const callback = (m: JsMsg): void => {
          documents.push({ key: m.subject.slice(PREFIX), bytes: m.data, seq: m.seq });
          clearTimeout(timer);
          if (m.seq >= end || m.info.pending === 0) resolve();
          else timer = setTimeout(() => reject(new Error(`nothing came for ${ms} ms`)), ms);
        };
        consumer.consume({ max_messages: READ_AHEAD, callback }).then((it) => (messages = it), reject);
      });
    } finally {
      await messages?.close();
      // If that fails the server takes it away itself after a while.
      await consumer.delete().catch(() => false);
    }
    return documents;
  }
}

const notConnected = (): Problem => problem('unavailable', 'no connection to the message server');
