import {
  ok,
  problem,
  type Clock,
  type HostName,
  type Lineage,
  type Problem,
  type Result,
  type Revision,
} from '#kernel';
import { sealDocument, type DocumentKey, type Signer, type StateDocument, type Verifier } from '#contracts';
import { type DocumentChange, type Documents } from '../projection/documents.js';
import { Allowance } from './allowance.js';
import { type Compared } from './comparison.js';
import { Desired } from './desired.js';
import { readSince } from './known.js';
import { concernedBy, MOST_UNLISTED, notesByHosts, notesFor, type NotesAtMost } from './notes.js';
import { type Mark } from '../marks.js';
import { Pacer } from './pacer.js';
import { ownFirst, readStore } from './published.js';
import { type DocumentStore, type Published } from './store.js';
import { writeBatch, type Written } from './writer.js';

export interface ProjectorOptions {
  readonly store: DocumentStore;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly clock: Clock;
  /** Random id, new for each life: tells its marks from any other's. */
  readonly life: string;
  /**
   * Asked after reading and before taking over: whether, **by the log and not by memory**, nobody else leads. The log
   * is the fence: a new leader writes to it before it takes the documents, so one that slept finds out here; and what
   * it read before it asked is too old to write on, if another took over in between.
   */
  readonly stillLeads: () => Promise<boolean>;
  /** What is known of the store, by an earlier term or by following it; what of it no longer holds is read anew. */
  readonly known?: Published | null;
  /** What the documents that it begins with were compared with, and where they may differ; absent: with nothing. */
  readonly compared?: Compared | null;
  /** Time between batches where there are many, ms, by the number of hosts: each mark goes to all of them. */
  readonly markGapMs?: (hosts: number) => number;
  /** Which hosts carry a shared document out; absent: any may. Who is left out hears of it by the next mark. */
  readonly carrying?: (key: DocumentKey) => Iterable<HostName>;
  readonly notesAtMost?: NotesAtMost;
  /**
   * Called once, when this projector may no longer write: another took over (`fenced`), or the store is ahead of what
   * this one was given (`conflict`). Who still leads by the log starts a new one.
   */
  readonly onEnd: (why: Problem) => void;
  /** It is the writer now; with so many documents in the store. */
  readonly onClaimed?: (documents: number) => void;
  /** The store did not answer as it should; the projector goes on trying. */
  readonly onTrouble?: (what: Problem) => void;
}

const HEARTBEAT_MS = 1000;
const RETRY_MS = 200;
const NOTHING = 0 as Revision;

/**
 * Each mark goes to every host: some 7,000 deliveries a second whatever their number, so seven marks a second with a
 * thousand hosts. What was decided meanwhile goes in one batch. With few hosts a batch need not wait, nor do the first ones
 * after a while: a new leader's claim is one, and what follows it was waited for long enough.
 */
const AT_ONCE = 3;
const gapByHosts = (hosts: number): number => Math.min(300, hosts * 0.15);

/**
 * The one writer of the documents. A life begins with a claim: a mark that continues the chain and lists what was
 * written after the last mark. Whoever wrote before is refused from then on by the stream's expectation.
 */
export class Projector {
  private readonly desired: Desired;
  private readonly pacer: Pacer;
  /** Null: it is not the writer. */
  private published: Published | null = null;
  /** What it knew when it was not, or was no more. */
  private known: Published | null;
  /** What all that is wanted was compared with: only what is pending, or was written since, may differ from it. */
  private accounted: Published['documents'] | null;
  /** Life of the marks found at first; undefined: not read yet. A third life means that somebody else took over. */
  private predecessor: string | null | undefined;
  private ended = false;
  private lastMark = Number.NEGATIVE_INFINITY;
  /** Written since that mark. */
  private unlisted: Written = [];
  private readonly allowance = new Allowance(AT_ONCE);
  /** Sequence of the last mark that is known to be stored. */
  private markedSeq = 0;
  /** Its number. */
  private markedN = 0;
  /** Lineage of that mark. */
  private marked: Lineage | null = null;

  constructor(
    private readonly options: ProjectorOptions,
    documents: Documents,
    lineage: Lineage,
    revision: Revision,
    /** Where the log ended before this term wrote to it: what was published of more is of a log that is no more. */
    private readonly began: Revision = revision,
  ) {
    this.desired = new Desired(documents, lineage, revision, options.compared?.changed);
    this.known = options.known ?? null;
    this.accounted = options.compared?.with ?? null;
    this.pacer = new Pacer(options.clock);
  }

  /** Writes until `stop`, or until it may no longer. */
  async run(): Promise<void> {
    while (!this.ended) {
      if (this.published === null) await this.claim();
      else if (this.isBehind) await this.paced();
      else await this.rest();
    }
  }

  /** In the order of revisions; also before and while the store is read. */
  commit(lineage: Lineage, revision: Revision, changes: readonly DocumentChange[]): void {
    this.desired.take(lineage, revision, changes);
    this.pacer.nudge();
  }

  /** What is known of the store; when `run` is over, another may go on from it. */
  get standing(): Published | null {
    return this.published ?? this.known;
  }

  /** The same of what the documents were compared with. */
  get compared(): Compared | null {
    const { accounted } = this;
    if (accounted === null || accounted !== this.standing?.documents) return null;
    return { with: accounted, changed: this.desired.unsure };
  }

  /** No batch is begun after this. */
  stop(): void {
    this.ended = true;
    this.pacer.nudge();
  }

  /** Takes tombstones away that every host concerned has carried out. `realised`: of the current lineage. */
  async sweep(realised: (host: HostName) => Revision | null): Promise<void> {
    for (const key of [...this.desired.spent(realised)]) {
      const stands = this.published?.documents.get(key);
      // Not before a mark has listed it: what was never listed and is gone, nobody would miss.
      if (this.ended || stands?.document?.type !== 'tombstone' || stands.seq > this.markedSeq) continue;
      const removed = await this.options.store.remove(stands.seq);
      if (!removed.ok) return this.options.onTrouble?.(removed.error);
      // It may have been written again meanwhile.
      if (this.published?.documents.get(key) !== stands) continue;
      this.published.documents.delete(key);
      this.desired.forgetTombstone(key);
    }
  }

  /** A commit that changes no document concerns no host: that it was projected, the next mark says as well. */
  private get isBehind(): boolean {
    return this.desired.isPending || this.marked !== this.desired.lineage;
  }

  private async paced(): Promise<void> {
    if (this.few(this.published) === null)
      await this.pacer.pause(this.allowance.waitMs(this.options.clock.monotonic(), this.gap));
    if (!this.ended) await this.batch();
  }

  /** The only hosts that what is pending concerns, where they are few enough to be told apart; null: a mark is due. */
  private few(published: Published | null): ReadonlySet<HostName> | null {
    const { clock, life, notesAtMost = notesByHosts } = this.options;
    const { carrying = () => this.desired.hostNames } = this.options;
    const isDue =
      !this.desired.isPending ||
      this.marked !== this.desired.lineage ||
      published?.mark?.document.life !== life ||
      this.unlisted.length >= MOST_UNLISTED ||
      clock.monotonic() - this.lastMark >= HEARTBEAT_MS;
    const most = isDue ? 0 : notesAtMost(this.desired.hosts);
    return most === 0 ? null : concernedBy(this.desired.pendingKeys, carrying, most);
  }

  private get gap(): number {
    return (this.options.markGapMs ?? gapByHosts)(this.desired.hosts);
  }

  private begun(): void {
    this.lastMark = this.options.clock.monotonic();
    this.allowance.take(this.lastMark, this.gap);
  }

  private async rest(): Promise<void> {
    const left = this.lastMark + HEARTBEAT_MS - this.options.clock.monotonic();
    const nudged = left > 0 && (await this.pacer.sleep(left));
    if (!nudged && !this.ended) await this.batch();
  }

  private async batch(): Promise<void> {
    const { published } = this;
    if (published === null) return;
    const { lineage, revision } = this.desired;
    const few = this.few(published);
    if (few === null) this.begun();
    const batch = { lineage, revision, documents: this.desired.drain(), unlisted: this.unlisted };
    const written = await writeBatch(this.options, published, batch, few === null);
    if (!written.ok) {
      this.desired.again(batch.documents);
      return this.failed(published, written.error);
    }
    this.unlisted = written.value;
    if (few !== null) return this.tell(few, published, batch.documents);
    this.marked = lineage;
    this.noteMark(published);
  }

  /**
   * Only what is known to be stored; and of no later revision than that is: by it, whoever takes over learns how far hosts
   * may have come.
   */
  private tell(hosts: Iterable<HostName>, { mark }: Published, written: readonly StateDocument[]): void {
    const revision = latestOf(written);
    if (mark === null || revision === null) return;
    const { store, signer } = this.options;
    for (const note of notesFor(hosts, mark, revision, this.unlisted))
      store.tell(note.host, sealDocument(note, signer));
  }

  /** Reads what stands in the store, and takes it over by a mark that says no more than the last one did. */
  private async claim(): Promise<void> {
    const read = await this.read();
    if (this.ended) return;
    if (!read.ok) {
      this.options.onTrouble?.(read.error);
      return this.pacer.pause(RETRY_MS);
    }
    const published = (this.known = read.value);
    const refusal = this.mayClaim(published);
    if (refusal !== null) return this.end(refusal);
    const leads = await this.options.stillLeads();
    if (this.ended) return;
    if (!leads) return this.end(problem('fenced', 'another manager leads'));
    const after = published.mark?.seq ?? 0;
    const last = published.mark?.document;
    this.begun();
    const written = await writeBatch(this.options, published, {
      lineage: last?.lineage ?? this.desired.lineage,
      revision: last?.revision ?? NOTHING,
      documents: [],
      asFound: true,
      // What can't be read is nobody's: it is written over next, and hosts keep what they hold until then.
      unlisted: [...published.documents].flatMap(([key, { seq, document }]) =>
        seq > after && document !== null ? [[key, seq] as const] : [],
      ),
    });
    if (!written.ok) {
      this.failed(published, written.error);
      return this.pacer.pause(written.error === 'wrong-last-sequence' ? 1 : RETRY_MS);
    }
    const unsure = this.accounted === published.documents ? published.unsure : undefined;
    await this.desired.reconcile(published, () => this.pacer.pause(1), unsure);
    this.accounted = published.documents;
    published.unsure.clear();
    this.published = published;
    this.unlisted = [];
    this.noteMark(published);
    this.options.onClaimed?.(published.documents.size);
  }

  /** All that stands. */
  private async read(): Promise<Result<Published>> {
    const { store, signer } = this.options;
    const verifier = ownFirst(signer, this.options.verifier);
    const pause = (): Promise<void> => this.pacer.pause(1);
    const since = await readSince(store, this.known, verifier, pause);
    if (!since.ok) return since;
    // What was taken out may be back in a store that was not ended in good order. A new lineage leaves none of it standing.
    const isOfThis = since.value?.mark?.document.lineage === this.desired.lineage;
    if (since.value !== null && isOfThis) return ok(since.value);
    this.known = null;
    const loaded = await store.load();
    return loaded.ok ? ok(await readStore(loaded.value, verifier, pause)) : loaded;
  }

  private noteMark({ mark }: Published): void {
    this.markedSeq = mark?.seq ?? 0;
    this.markedN = mark?.document.n ?? 0;
  }

  private mayClaim(published: Published): Problem | null {
    const { mark } = published;
    const life = mark?.document.life ?? null;
    if (this.predecessor === undefined) this.predecessor = life;
    if (life !== this.predecessor && life !== this.options.life)
      return problem('fenced', 'another projector took the documents over');
    // Once it has written, what came before it can't come back.
    if (life === this.options.life) this.predecessor = life;
    // Its next marks would bear numbers that hosts may have seen already, of what was lost.
    if ((mark?.document.n ?? 0) < this.markedN)
      return problem('conflict', 'the documents went back to an earlier copy');
    if (mark === null || life === this.options.life) return null;
    const { lineage } = mark.document;
    const revision = furthest(published, mark);
    // By the end of the log as it was found: revisions that were lost with its end are used again by now.
    if (lineage !== this.desired.lineage || revision <= this.began) return null;
    return problem(
      'conflict',
      `documents were written up to revision ${revision}, the log ended at ${this.began}`,
    );
  }

  private failed(known: Published, why: string): void {
    this.published = null;
    this.known = known;
    if (!this.ended)
      this.options.onTrouble?.(problem('unavailable', `documents could not be written: ${why}`));
  }

  private end(why: Problem): void {
    this.ended = true;
    this.options.onEnd(why);
  }
}

const latestOf = (documents: readonly StateDocument[]): Revision | null =>
  documents.reduce<Revision | null>((last, { revision }) => (revision > (last ?? 0) ? revision : last), null);

/** As of which revision hosts may hold what was written: by the mark, and by notes of what no mark lists yet. */
function furthest({ documents }: Published, { document: mark, seq }: Mark): Revision {
  const unlisted = [...documents.values()].flatMap((stands) =>
    stands.seq > seq && stands.document?.lineage === mark.lineage ? [stands.document] : [],
  );
  return latestOf(unlisted.filter(({ revision }) => revision > mark.revision)) ?? mark.revision;
}
