import { err, ok, problem, type HostName, type Result } from '#kernel';
import { KEYS, SUBJECTS, type DocumentKey } from '#contracts';
import {
  type DocumentSource,
  type DocumentStore,
  type PutError,
  type Received,
  type SourceListener,
  type StoreContent,
  type StoredDocument,
} from '#protocol';
import { type Link } from './link.js';

const PREFIX = SUBJECTS.doc('').length;
const noteTo = (host: string): string => `note ${host}`;
const lost = problem('unavailable', 'the message server does not answer');

/** The document stream for its writer. */
export class LinkStore implements DocumentStore {
  private puts = 0;
  private lastPut: { readonly seq: number; readonly id: string } | null = null;
  private readonly id: string;

  constructor(private readonly link: Link) {
    this.id = link.process.ids.next();
  }

  async mark(): Promise<Result<StoredDocument | null>> {
    const answer = await this.link.ask('documents: mark', () =>
      this.link.server.docs.last(SUBJECTS.doc(KEYS.mark)),
    );
    if (answer.kind !== 'answer') return err(lost);
    const { value } = answer;
    return ok(value === undefined ? null : { key: KEYS.mark, bytes: value.bytes, seq: value.seq });
  }

  async load(after = 0): Promise<Result<StoreContent>> {
    this.lastPut = null;
    const { docs } = this.link.server;
    const info = await this.link.ask('documents: info', () => docs.lastSeq);
    if (info.kind !== 'answer') return err(lost);
    const all = await this.link.ask('documents: all', () => docs.from(after + 1), 5_000);
    if (all.kind !== 'answer') return err(lost);
    const documents = all.value.map((m) => ({ key: m.subject.slice(PREFIX), bytes: m.bytes, seq: m.seq }));
    return ok({ lastSeq: info.value, documents });
  }

  async put(
    key: DocumentKey,
    bytes: Uint8Array,
    lastSeq: number,
  ): Promise<Result<{ readonly seq: number }, PutError>> {
    if (!this.link.up) return err('unavailable');
    const msgId = `${this.id}-${(this.puts += 1)}`;
    const lastMsgId = this.lastPut?.seq === lastSeq ? this.lastPut.id : undefined;
    this.lastPut = { seq: lastSeq + 1, id: msgId };
    const answer = await this.link.ask(`document ${key}`, () =>
      this.link.server.docs.publish(SUBJECTS.doc(key), bytes, { msgId, lastSeq, lastMsgId }),
    );
    if (answer.kind === 'down') return err('unavailable');
    if (answer.kind === 'silence') return err('unknown');
    return answer.value.ok ? ok({ seq: answer.value.value.seq }) : err('wrong-last-sequence');
  }

  tell(host: HostName, note: Uint8Array): void {
    this.link.publish(noteTo(host), note);
  }

  async remove(seq: number): Promise<Result<void>> {
    const answer = await this.link.ask('documents: delete', () => this.link.server.docs.delete(seq));
    return answer.kind === 'answer' ? ok(undefined) : err(lost);
  }
}

interface Live extends Received {
  readonly key: DocumentKey;
}

/** The document stream for one host. */
export class LinkSource implements DocumentSource {
  private followed: ReadonlySet<DocumentKey> = new Set();

  constructor(
    private readonly host: string,
    private readonly link: Link,
    /** Planted faults look at what comes in here. */
    private readonly alter: (key: DocumentKey, received: Received, host: string) => Received = (_, r) => r,
  ) {}

  subscribe(listener: SourceListener): () => void {
    const end = this.link.subscribe<Live>('live', ({ key, bytes, seq }) => {
      const isHeard = key === KEYS.mark || this.followed.has(key) || key.startsWith(`h.${this.host}.`);
      if (isHeard) listener.message(key, this.alter(key, { bytes, seq }, this.host));
    });
    const endNotes = this.link.subscribe<Uint8Array>(noteTo(this.host), (bytes) =>
      listener.note(this.alter(KEYS.note(this.host), { bytes, seq: 0 }, this.host).bytes),
    );
    const off = this.link.onState((up) => up && listener.reconnected());
    return () => {
      end();
      endNotes();
      off();
    };
  }

  follow(keys: ReadonlySet<DocumentKey>): void {
    this.followed = keys;
  }

  async flush(): Promise<Result<void>> {
    const answer = await this.link.ask('flush', () => undefined);
    return answer.kind === 'answer' ? ok(undefined) : err(lost);
  }

  async get(key: DocumentKey): Promise<Result<Received | null>> {
    const answer = await this.link.ask(`get ${key}`, () => this.link.server.docs.last(SUBJECTS.doc(key)));
    if (answer.kind !== 'answer') return err(lost);
    const found = answer.value;
    return ok(
      found === undefined ? null : this.alter(key, { bytes: found.bytes, seq: found.seq }, this.host),
    );
  }
}
