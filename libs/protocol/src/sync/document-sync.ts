import { problem, type Clock, type HostName, type Problem, type Result, type Revision } from '#kernel';
import {
  KEYS,
  openDocumentBytes,
  type DocumentKey,
  type MarkDocument,
  type NoteDocument,
  type OpenDocument,
  type Verifier,
} from '#contracts';
import { bridges, follows, goesOnFrom, isLater, isOld, isSame, isSince, type Mark } from '../marks.js';
import { Pacer } from '../projector/pacer.js';
import { spread } from '../spread.js';
import { Inbox } from './inbox.js';
import { Reader } from './reader.js';
import { type Snapshot } from './snapshot.js';
import { type DocumentSource, type Received } from './source.js';
import { Table } from './table.js';

export interface DocumentSyncOptions {
  readonly host: HostName;
  readonly source: DocumentSource;
  readonly clock: Clock;
  readonly verifier: Verifier;
  /** How documents are read; absent: each by itself, as signed by whom `verifier` knows. */
  readonly open?: OpenDocument;
  /** What the disk copy held, if anything: carried out until the centre is heard. */
  readonly held?: Snapshot;
  /** On every change of what is held, what is proved, or whether the centre is heard. Must not throw. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onTrouble?: (what: Problem) => void;
}

const SILENCE_MS = 3000;
const MARKS_WAITING = 200;
const TRIES = 6;

/**
 * Holds what one host needs of the documents, and knows up to which revision that is all of it. One loop changes
 * everything; messages only fill the inbox, so no two things ever happen at once.
 */
export class DocumentSync {
  private readonly pacer: Pacer;
  private readonly reader: Reader;
  private readonly inbox: Inbox;
  private marks: Mark[] = [];
  /** The last one: each says all since its mark. */
  private note: NoteDocument | null = null;
  private table: Table;
  /** The last complete mark; null: everything is to be read. */
  private chain: Mark | null = null;
  private connectionLost = false;
  /** A question had no answer, since this was last set back. */
  private unanswered = false;
  private stopped = false;
  private failures = 0;
  private fetches = 0;
  private heardAt = Number.NEGATIVE_INFINITY;
  private checkedAt = Number.NEGATIVE_INFINITY;
  private followed: ReadonlySet<DocumentKey> | null = null;
  private shown: Snapshot;
  private shownTable = -1;

  private readonly options: Omit<DocumentSyncOptions, 'held'>;

  constructor({ held, ...options }: DocumentSyncOptions) {
    const { host, source, clock, verifier } = options;
    const open: OpenDocument = options.open ?? ((bytes, key) => openDocumentBytes(bytes, verifier, key));
    this.options = options;
    this.pacer = new Pacer(clock);
    this.reader = new Reader(host, source, open);
    this.inbox = new Inbox(`h.${host}.`);
    this.table = new Table(host);
    this.shown = held ?? {
      host,
      lineage: null,
      received: 0 as Revision,
      documents: new Map(),
      faults: [],
      stale: true,
    };
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    if (this.shown.lineage !== null) this.show({ ...this.shown, stale: true });
    const end = this.options.source.subscribe({
      message: (key, received) => this.heard(key, received),
      note: (bytes) => this.heardNote(bytes),
      reconnected: () => {
        this.connectionLost = true;
        this.failures = 0;
        this.pacer.nudge();
      },
    });
    try {
      while (!this.stopped) await this.step();
    } finally {
      end();
    }
  }

  stop(): void {
    this.stopped = true;
    this.pacer.nudge();
  }

  private heard(key: DocumentKey, received: Received): void {
    if (key !== KEYS.mark) {
      if (received.seq > (this.chain?.seq ?? 0)) this.inbox.add(key, received);
      return;
    }
    const mark = this.reader.openMark(received);
    if (!mark.ok) return this.options.onTrouble?.(mark.error);
    this.heardAt = this.options.clock.monotonic();
    if (this.marks.length >= MARKS_WAITING) this.inbox.overflow = true;
    else this.marks.push(mark.value);
    this.pacer.nudge();
  }

  private heardNote(bytes: Uint8Array): void {
    const note = this.reader.openNote(bytes);
    if (!note.ok) return this.options.onTrouble?.(note.error);
    if (!isLater(note.value, this.note)) return;
    this.note = note.value;
    this.pacer.nudge();
  }

  private async step(): Promise<void> {
    if (this.chain === null || this.inbox.overflow) return this.resync();
    if (this.connectionLost) return this.reconnected(this.chain);
    const mark = this.marks.shift();
    if (mark !== undefined) return this.take(mark, this.chain);
    const { note } = this;
    this.note = null;
    if (note !== null) return this.takeNote(note, this.chain);
    const since = Math.max(this.heardAt, this.checkedAt);
    const nudged = await this.pacer.sleep(since + SILENCE_MS - this.options.clock.monotonic());
    if (!nudged && !this.stopped) await this.silence(this.chain);
  }

  private async take(mark: Mark, chain: Mark): Promise<void> {
    if (isOld(mark, chain)) return this.showStale();
    if (this.isBehind(mark)) return void (this.chain = null);
    this.unanswered = false;
    const isNext = follows(mark, chain);
    if ((isNext || bridges(mark, chain)) && (await this.advance(mark, chain, isNext))) {
      this.failures = 0;
      this.complete(mark);
    } else if (this.unanswered && this.failures < TRIES) {
      // Where one question has no answer in time, reading everything would have even less.
      this.marks.unshift(mark);
      await this.backOff();
    } else if (!this.stopped) this.chain = null;
  }

  /**
   * A leader that begins says no more than the last mark did. What a note told since may have been lost with the end of
   * the stream, and its sequences and revisions be used again: nothing of it counts, and all is read.
   */
  private isBehind({ document: { lineage, revision } }: Mark): boolean {
    return lineage === this.shown.lineage && revision < this.shown.received;
  }

  /** What it can't make complete at once waits for the next mark. */
  private async takeNote(note: NoteDocument, chain: Mark): Promise<void> {
    if (!isSince(note, chain.document) || note.revision < this.shown.received) return;
    this.absorb(this.table, chain.seq);
    const [count, last] = note.own;
    if (!this.inbox.holdsOwn(chain.seq, last + 1, count, last)) return;
    const fetches = this.fetches;
    if (!(await this.fill(this.table, chain, note.shared, chain.seq))) return;
    if (fetches === this.fetches || (await this.stillStands(chain))) this.showAsOf(note);
  }

  /** Whatever came meanwhile may be lost; the mark that stands tells whether anything did. */
  private async reconnected(chain: Mark): Promise<void> {
    // What came since the mark may be gone with the end of the stream, and its sequences be used again.
    if (!this.inbox.isEmpty || this.table.isLater(chain.seq)) return void (this.chain = null);
    this.connectionLost = false;
    const flushed = await this.options.source.flush();
    const mark = flushed.ok ? await this.reader.mark() : flushed;
    if (this.stopped) return;
    if (!mark.ok) {
      this.options.onTrouble?.(mark.error);
      this.showStale();
      // Not before: what is told now ends the wait, and without one nothing else would ever have its turn.
      await this.backOff();
      this.connectionLost = true;
      return;
    }
    this.failures = 0;
    this.checkedAt = this.options.clock.monotonic();
    if (mark.value === null) this.chain = null;
    else if (!isSame(mark.value, chain)) await this.take(mark.value, chain);
  }

  /**
   * Nothing was heard. If the last mark is still the one held, nothing was missed either. A process that stood still
   * looks at the time first, and hears only then what came meanwhile: that tells more than the mark that stands.
   */
  private async silence(chain: Mark): Promise<void> {
    this.showStale();
    const mark = await this.reader.mark();
    this.checkedAt = this.options.clock.monotonic();
    if (this.marks.length > 0) return;
    if (!mark.ok) return this.options.onTrouble?.(mark.error);
    if (mark.value === null) this.chain = null;
    else if (!isSame(mark.value, chain)) await this.take(mark.value, chain);
  }

  /**
   * Everything that the mark speaks of is held afterwards; false: it could not be had. What was fetched counts only if
   * the stream is still the one that the mark stood in: a stream that is made anew is empty at first. `isNext`: no mark
   * that listed anything was missed.
   */
  private async advance(mark: Mark, chain: Mark, isNext: boolean): Promise<boolean> {
    const fetches = this.fetches;
    this.absorb(this.table, chain.seq);
    if (isNext ? !this.holdsOwn(mark, chain) : this.missedOwn(mark, chain)) {
      const host = this.table.hostDocument();
      const own = [KEYS.host(this.options.host)];
      if (!(await this.fetch(this.table, own, mark.seq))) return false;
      const ports = (this.table.hostDocument() ?? host)?.ports ?? [];
      const keys = ports.map((port) => KEYS.port(this.options.host, port));
      if (!(await this.fetch(this.table, keys, mark.seq))) return false;
      // A port that is not here now may be here again by the next document, and what was held of it is no more.
      this.table.prune(mark.seq);
    }
    const listed = isNext ? mark.document.shared : (mark.document.recent?.shared ?? []);
    if (!(await this.fill(this.table, mark, listed, chain.seq))) return false;
    return fetches === this.fetches || (await this.stillStands(mark));
  }

  /** Whether all came that was written of this host's own since the mark before. */
  private holdsOwn(mark: Mark, chain: Mark): boolean {
    const [, count, last] = mark.document.hosts.find(([host]) => host === this.options.host) ?? ['', 0, 0];
    return this.inbox.holdsOwn(chain.seq, mark.seq, count, last);
  }

  /** Whether any was, of late: how many is not known, and so not whether all came. */
  private missedOwn({ document }: Mark, chain: Mark): boolean {
    return (
      document.recent?.hosts.some(([host, seq]) => host === this.options.host && seq > chain.seq) ?? true
    );
  }

  private async stillStands(mark: Mark): Promise<boolean> {
    const now = await this.reader.mark();
    if (!now.ok) this.unanswered = true;
    if (!now.ok || now.value === null || now.value.seq < mark.seq) return false;
    return now.value.document.life === mark.document.life || goesOnFrom(now.value.document, mark.document);
  }

  /** Fetches until nothing needed is missing or older than the mark says. */
  private async fill(
    table: Table,
    mark: Mark,
    listed: MarkDocument['shared'],
    after: number,
  ): Promise<boolean> {
    for (let tries = 0; tries < TRIES && !this.stopped; tries += 1) {
      this.absorb(table, after);
      const needed = table.needed();
      const older = listed.filter(([key, seq]) => needed.has(key) && (table.get(key)?.seq ?? 0) < seq);
      const lacking = new Set([...table.missing(), ...older.map(([key]) => key)]);
      if (lacking.size === 0) return true;
      if (!(await this.fetch(table, [...lacking], mark.seq))) return false;
    }
    return false;
  }

  private async fetch(table: Table, keys: readonly DocumentKey[], seq: number): Promise<boolean> {
    this.fetches += 1;
    const read = await this.reader.entries(keys, seq);
    if (!read.ok) {
      this.unanswered = true;
      this.options.onTrouble?.(read.error);
    } else for (const [key, entry] of read.value) table.put(key, entry);
    return read.ok;
  }

  /**
   * What arrived takes its place, if it is later than `after`: of what is earlier, only a mark or a read can tell
   * whether it is the newest. What can't be read counts as lost: the mark will have it fetched.
   */
  private absorb(table: Table, after: number): void {
    if (this.inbox.isEmpty) return;
    const place = (key: DocumentKey, received: Received): void => {
      if (received.seq <= after || (table.get(key)?.seq ?? 0) >= received.seq) return;
      const entry = this.reader.open(key, received);
      if (entry.fault === null) table.put(key, entry);
      else {
        const { code, message, details } = entry.fault;
        this.options.onTrouble?.(problem(code, `document ${key} was refused: ${message}`, details));
        this.inbox.discard(key, received.seq);
      }
    };
    for (const [key, received] of this.inbox.own()) place(key, received);
    // What is placed may need more of what is there.
    for (let needed: ReadonlySet<DocumentKey> | null = null; needed !== table.needed();) {
      needed = table.needed();
      for (const [key, received] of this.inbox.shared()) if (needed.has(key)) place(key, received);
    }
  }

  private async resync(): Promise<void> {
    this.inbox.clear();
    this.marks = [];
    this.note = null;
    this.chain = null;
    this.connectionLost = false;
    const mark = await this.readAll();
    if (this.stopped) return;
    if (mark.ok && mark.value !== null) {
      this.failures = 0;
      this.checkedAt = this.options.clock.monotonic();
      return this.complete(mark.value);
    }
    if (!mark.ok) this.options.onTrouble?.(mark.error);
    this.showStale();
    await this.backOff();
  }

  /** Hosts that had no answer at the same time do not ask again at the same time. */
  private backOff(): Promise<void> {
    this.failures += 1;
    const longest = Math.min(SILENCE_MS, 50 * 2 ** Math.min(this.failures, 10));
    return this.beforeNext(longest * spread(`${this.options.host} ${this.failures}`));
  }

  /** A new connection ends it: what failed before says nothing about what comes now. Marks that are heard don't. */
  private async beforeNext(ms: number): Promise<void> {
    const { clock } = this.options;
    const until = clock.monotonic() + ms;
    while (!this.connectionLost && !this.stopped && clock.monotonic() < until)
      await this.pacer.sleep(until - clock.monotonic());
  }

  /** The mark first: whatever is read after it is at least as new. Null: the centre has nothing to say yet. */
  private async readAll(): Promise<Result<Mark | null>> {
    const flushed = await this.options.source.flush();
    if (!flushed.ok) return flushed;
    const mark = await this.reader.mark();
    if (!mark.ok || mark.value === null) return mark;
    const { revision } = mark.value.document;
    if (this.isBehind(mark.value)) {
      const what = `documents stand at revision ${revision}, this host holds ${this.shown.received} of the same lineage`;
      return { ok: false, error: problem('conflict', what) };
    }
    const table = new Table(this.options.host);
    const { shared } = mark.value.document;
    if (
      !(await this.fill(table, mark.value, shared, mark.value.seq)) ||
      !(await this.stillStands(mark.value))
    )
      return { ok: false, error: problem('unavailable', 'the documents could not all be read') };
    this.table = table;
    this.shownTable = -1;
    return mark;
  }

  private complete(mark: Mark): void {
    this.chain = mark;
    this.table.prune(mark.seq);
    this.inbox.covered(mark.seq);
    this.showAsOf(mark.document);
  }

  private showAsOf({ lineage, revision }: MarkDocument | NoteDocument): void {
    this.follow();
    const unreadable = this.table.get(KEYS.host(this.options.host))?.fault ?? null;
    if (unreadable !== null) {
      // Without knowing what the host is to do, what it did before is the best there is.
      const faults = [{ key: KEYS.host(this.options.host), problem: unreadable }];
      return this.show({ ...this.shown, faults, stale: this.isStale() });
    }
    const same = this.shownTable === this.table.version;
    const content = same ? this.shown : this.table.content();
    this.shownTable = this.table.version;
    const { documents, faults } = content;
    this.show({
      host: this.options.host,
      lineage,
      received: revision,
      documents,
      faults,
      stale: this.isStale(),
    });
  }

  /** Thousands of groups change that this host has no port in: it is not to hear of them. */
  private follow(): void {
    const needed = this.table.needed();
    if (needed === this.followed) return;
    this.followed = needed;
    const shared = [...needed].filter((key) => !this.table.isOwn(key));
    this.options.source.follow(new Set(shared));
  }

  private isStale(): boolean {
    return this.options.clock.monotonic() - this.heardAt >= SILENCE_MS;
  }

  private showStale(): void {
    const stale = this.isStale();
    if (stale !== this.shown.stale) this.show({ ...this.shown, stale });
  }

  private show(snapshot: Snapshot): void {
    this.shown = snapshot;
    this.options.onSnapshot(snapshot);
  }
}
