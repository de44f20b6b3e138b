import { type HostName, type Lineage, type Revision } from '#kernel';
import { KEYS, type DocumentKey, type StateDocument } from '#contracts';
import {
  hostOfKey,
  rank,
  sameContent,
  tombstoneOf,
  type DocumentChange,
  type Documents,
} from '../projection/documents.js';
import { type Published } from './store.js';

/** Documents compared at a stretch, some 10 ms of work. */
const AT_A_STRETCH = 2_000;

export type Stands = NonNullable<ReturnType<Published['documents']['get']>>;

/** Whether what stands need not be written. */
export const isAsWanted = (stands: Stands | undefined, wanted: StateDocument): boolean =>
  sameContent(stands?.document ?? undefined, wanted) && stands?.document?.lineage === wanted.lineage;

/** What is to stand in the store, and which keys of it are not known to stand there yet. */
export class Desired {
  private readonly documents: Map<DocumentKey, StateDocument>;
  private pending = new Set<DocumentKey>();
  private readonly hostKeys = new Map<DocumentKey, HostName>();

  constructor(
    documents: Documents,
    public lineage: Lineage,
    public revision: Revision,
    unsure: Iterable<DocumentKey> = [],
  ) {
    this.documents = new Map();
    for (const [key, document] of documents) this.set(key, document);
    this.pending = new Set(unsure);
  }

  take(lineage: Lineage, revision: Revision, changes: readonly DocumentChange[]): void {
    this.lineage = lineage;
    this.revision = revision;
    for (const { key, document } of changes) {
      this.set(key, document);
      this.pending.add(key);
    }
  }

  /**
   * Compares with what stands: what differs is pending, what is there and should not be gets a tombstone. Others have
   * their turn after each stretch, by `pause`; what is taken meanwhile is pending by that. `unsure`: the only keys,
   * besides those that are pending, that may differ; absent: all may.
   */
  async reconcile(
    published: Published,
    pause: () => Promise<void>,
    unsure?: Iterable<DocumentKey>,
  ): Promise<void> {
    const keys = unsure === undefined ? this.keysWith(published) : new Set([...unsure, ...this.pending]);
    let done = 0;
    for (const key of keys) {
      if ((done += 1) % AT_A_STRETCH === 0) await pause();
      this.compare(key, published.documents.get(key));
    }
  }

  private *keysWith({ documents }: Published): Iterable<DocumentKey> {
    for (const key of documents.keys()) if (!this.documents.has(key)) yield key;
    yield* this.documents.keys();
  }

  private compare(key: DocumentKey, stands: Stands | undefined): void {
    const wanted = this.documents.get(key) ?? (stands && this.gone(key, stands.document));
    if (wanted === undefined) return;
    if (wanted.type === 'tombstone' && stands === undefined) {
      this.documents.delete(key);
      this.pending.delete(key);
      return;
    }
    this.set(key, wanted);
    if (isAsWanted(stands, wanted)) this.pending.delete(key);
    else this.pending.add(key);
  }

  private gone(key: DocumentKey, document: StateDocument | null): StateDocument {
    const isGone = document?.type === 'tombstone' && document.lineage === this.lineage;
    return isGone ? document : this.tombstone(key, document);
  }

  /** They are not known to stand there after all. */
  again(documents: readonly StateDocument[]): void {
    for (const { key } of documents) if (this.documents.has(key)) this.pending.add(key);
  }

  /** Keys at which something else may stand than is wanted of what lives: pending, or nothing but a tombstone. */
  get unsure(): ReadonlySet<DocumentKey> {
    const gone = [...this.documents].flatMap(([key, { type }]) => (type === 'tombstone' ? [key] : []));
    return new Set([...this.pending, ...gone]);
  }

  get isPending(): boolean {
    return this.pending.size > 0;
  }

  get pendingKeys(): Iterable<DocumentKey> {
    return this.pending;
  }

  get hosts(): number {
    return this.hostKeys.size;
  }

  get hostNames(): Iterable<HostName> {
    return this.hostKeys.values();
  }

  /** What is pending, in writing order; it no longer is. */
  drain(): StateDocument[] {
    const drained: StateDocument[] = [];
    for (const key of this.pending) {
      const document = this.documents.get(key);
      if (document !== undefined) drained.push(document);
    }
    this.pending.clear();
    return drained.sort((a, b) => rank(a) - rank(b));
  }

  /** Tombstones that every host concerned has carried out, or that concern no host that is left. */
  *spent(realised: (host: HostName) => Revision | null): Iterable<DocumentKey> {
    for (const [key, document] of this.documents) {
      if (document.type !== 'tombstone' || this.pending.has(key) || document.lineage !== this.lineage)
        continue;
      if (this.concerned(key).every((host) => (realised(host) ?? -1) >= document.revision)) yield key;
    }
  }

  /** Unless the key has come to life again. */
  forgetTombstone(key: DocumentKey): void {
    if (this.documents.get(key)?.type === 'tombstone') this.documents.delete(key);
  }

  private set(key: DocumentKey, document: StateDocument): void {
    this.documents.set(key, document);
    if (document.type === 'host') this.hostKeys.set(key, document.host);
    else this.hostKeys.delete(key);
  }

  /** An own key concerns its host; a shared one may be held by anyone. */
  private concerned(key: DocumentKey): HostName[] {
    const own = hostOfKey(key);
    if (own === null) return [...this.hostKeys.values()];
    const host = this.hostKeys.get(KEYS.host(own));
    return host === undefined ? [] : [host];
  }

  private tombstone(key: DocumentKey, document: StateDocument | null): StateDocument {
    if (document !== null) return tombstoneOf(document, this.lineage, this.revision);
    const of = key.startsWith('s.group.')
      ? 'group'
      : key.startsWith('s.set.')
        ? 'set'
        : key.startsWith('s.switch.')
          ? 'switch'
          : key.endsWith('.host')
            ? 'host'
            : 'port';
    return { type: 'tombstone', schema: 1, key, lineage: this.lineage, revision: this.revision, of };
  }
}
