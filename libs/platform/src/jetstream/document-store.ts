import {
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
  type StoredMsg,
} from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { err, ok, problem, type HostName, type Problem, type Result } from '#kernel';
import { KEYS, STREAMS, SUBJECTS, type DocumentKey } from '#contracts';
import { type DocumentStore, type PutError, type StoreContent, type StoredDocument } from '#protocol';
import { type NatsLink } from '../nats/link.js';
import { PutInbox } from './ack-inbox.js';

export interface JetStreamStoreOptions {
  /** How long a put waits for its answer, ms. Default 3,000. */
  readonly ackTimeoutMs?: number;
  /** How long reading waits for the next message, ms. Default 5,000. */
  readonly readTimeoutMs?: number;
}

const PREFIX = SUBJECTS.doc('').length;
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

  async mark(): Promise<Result<StoredDocument | null>> {
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      const found = await lastOf(await jetstreamManager(nc), KEYS.mark);
      return ok(found === null ? null : { key: KEYS.mark, bytes: found.data, seq: found.seq });
    } catch (cause) {
      return err(problem('unavailable', `the mark can't be read: ${String(cause)}`));
    }
  }

  async load(after = 0): Promise<Result<StoreContent>> {
    this.lastPut = null;
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      const manager = await jetstreamManager(nc);
      const { state } = await manager.streams.info(STREAMS.documents);
      const last = state.messages === 0 ? null : await lastOf(manager, '>');
      const isMore = last !== null && last.seq > after;
      const documents = isMore ? await this.readAll(nc, after + 1, last.seq) : [];
      return ok({ lastSeq: state.last_seq, documents });
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

  tell(host: HostName, note: Uint8Array): void {
    this.link.current()?.publish(SUBJECTS.live(KEYS.note(host)), note);
  }

  async remove(seq: number): Promise<Result<void>> {
    const nc = this.link.current();
    if (nc === undefined) return err(notConnected());
    try {
      const { streams } = await jetstreamManager(nc);
      try {
        await streams.deleteMessage(STREAMS.documents, seq, false);
      } catch (cause) {
        // What servers say of a message that is not there is not the same in all of them.
        if (
          !(cause instanceof JetStreamApiError) ||
          (await streams.getMessage(STREAMS.documents, { seq })) !== null
        )
          throw cause;
      }
      return ok(undefined);
    } catch (cause) {
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
   * From sequence `start` up to the message `end`, which stood there a moment ago. How many are yet to come, older servers get wrong where
   * keys were written over or taken out: waited for, a new leader would never write.
   */
  private async readAll(nc: NatsConnection, start: number, end: number): Promise<StoredDocument[]> {
    const consumer = await jetstream(nc).consumers.get(STREAMS.documents, { opt_start_seq: start });
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

const lastOf = ({ streams }: JetStreamManager, key: string): Promise<StoredMsg | null> =>
  streams.getMessage(STREAMS.documents, { last_by_subj: SUBJECTS.doc(key) });

const notConnected = (): Problem => problem('unavailable', 'no connection to the message server');
