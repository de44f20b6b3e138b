import { jetstream, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { type Clock } from '#kernel';
import { KEYS, STREAMS, SUBJECTS, type Verifier } from '#contracts';
import {
  nothingPublished,
  takeStored,
  type KnownDocuments,
  type Published,
  type StoredDocument,
} from '#protocol';
import { type NatsLink } from '../nats/link.js';

export interface FollowedOptions {
  readonly link: Pick<NatsLink, 'connection'>;
  readonly clock: Clock;
  readonly verifier: Verifier;
  readonly onFault: (cause: unknown) => void;
  /** How long a document may lie until it is opened, ms: of what is written again meanwhile, only the last is. Default 500. */
  readonly idleMs?: number;
}

const PREFIX = SUBJECTS.doc('').length;
/** A request that ran out while the server stood still is lost: it is noticed when two heartbeats did not come, by default after half a minute. */
const ASKING = { max_messages: 500, idle_heartbeat: 1_000 };
/** Documents opened at a stretch, some 10 ms of work. */
const AT_A_STRETCH = 100;
const IDLE_MS = 500;
const RETRY_MS = 1_000;
/** What was taken out of the stream is never told: with so many that may be gone, it is read anew. */
const TOMBSTONES = 10_000;

/**
 * The documents as they stand, read and opened while somebody else writes them: who takes over has them at hand. With
 * thousands of hosts, reading and checking them takes many seconds, in which no change would be carried out.
 *
 * Where nothing is known, it begins when a mark tells that somebody leads: until then this copy may be elected, and read
 * for itself; and whoever is needs the processor for just that, after an outage of all managers maybe on this machine.
 *
 * What it gives may be of a moment ago: who takes it goes on from the mark that it holds. Messages that were taken out
 * of the stream stay in it: they are tombstones, and taking them out again is no error.
 */
export class FollowedDocuments implements KnownDocuments {
  #published: Published | null = null;
  #messages: ConsumerMessages | undefined;
  #mark: Subscription | undefined;
  /** By key, in the order of sequences. */
  readonly #queue = new Map<string, StoredDocument>();
  #working = false;
  /** Ends the idling: it is over. */
  #hurry: () => void = () => undefined;
  #tombstones = 0;
  /** Goes up when what was begun is over. */
  #run = 0;

  constructor(private readonly options: FollowedOptions) {}

  get standing(): Published | null {
    return this.#published;
  }

  /** Goes on from what is known, or from the beginning. */
  keep(known: Published | null): void {
    this.stop();
    this.#published = known ?? nothingPublished();
    void this.#read(this.#run);
  }

  stop(): void {
    this.#run += 1;
    this.#published = null;
    this.#tombstones = 0;
    this.#queue.clear();
    this.#hurry();
    this.#messages?.stop();
    this.#messages = undefined;
    this.#mark?.unsubscribe();
    this.#mark = undefined;
  }

  /** What it has opened, and follows no more. */
  take(): Published | null {
    const published = this.#published;
    this.stop();
    return published;
  }

  async #read(run: number): Promise<void> {
    const { link, clock, onFault } = this.options;
    const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
    while (run === this.#run) {
      try {
        const nc = await link.connection();
        if (run === this.#run && this.#published?.lastSeq === 0) await this.#someMark(nc);
        if (run === this.#run) await this.#readOnce(run, nc);
      } catch (cause) {
        if (run === this.#run) onFault(cause);
      }
      if (run !== this.#run) return;
      await pause(RETRY_MS);
    }
  }

  /** Resolves when a mark is written, or it is over. */
  #someMark(nc: NatsConnection): Promise<void> {
    return new Promise((resolve) => {
      this.#mark = nc.subscribe(SUBJECTS.live(KEYS.mark), { max: 1, callback: () => resolve() });
      void this.#mark.closed.then(() => resolve());
    });
  }

  /** The client makes a broken consumer anew from where it stood; ends when it gives up, or is stopped. */
  async #readOnce(run: number, nc: NatsConnection): Promise<void> {
    const from = (this.#published?.lastSeq ?? 0) + 1;
    const consumer = await jetstream(nc).consumers.get(STREAMS.documents, { opt_start_seq: from });
    const callback = (m: JsMsg): void => {
      if (run !== this.#run) return;
      const key = m.subject.slice(PREFIX);
      this.#queue.delete(key);
      this.#queue.set(key, { key, bytes: m.data, seq: m.seq });
      void this.#work();
    };
    const messages = await consumer.consume({ ...ASKING, callback });
    this.#messages = messages;
    if (run !== this.#run) messages.stop();
    await messages.closed();
    await consumer.delete().catch(() => false);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    await this.#idle();
    while (this.#published !== null && this.#queue.size > 0) {
      for (const stored of this.#stretch()) {
        takeStored(this.#published, stored, this.options.verifier);
        if (this.#published.documents.get(stored.key)?.document?.type === 'tombstone') this.#tombstones += 1;
      }
      if (this.#tombstones > TOMBSTONES) this.keep(null);
      await new Promise<void>((resolve) => void this.options.clock.after(1, resolve));
    }
    this.#working = false;
  }

  /** The writer's hosts carry out meanwhile what it wrote, maybe on this very machine; a standby is in no hurry. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(this.options.idleMs ?? IDLE_MS, resolve);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }

  #stretch(): StoredDocument[] {
    const some: StoredDocument[] = [];
    for (const [key, stored] of this.#queue) {
      some.push(stored);
      this.#queue.delete(key);
      if (some.length === AT_A_STRETCH) break;
    }
    return some;
  }
}
