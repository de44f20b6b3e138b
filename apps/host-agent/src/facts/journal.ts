import { err, invalid, ok, type HostName, type Result } from '#kernel';
import { type Fact, type NumberedFact } from '#domain';
import { ABILITIES, parseFacts } from '#domain/on-host';
import { type FactBatch } from '#contracts';

/** Where batches go. Resolves true when the stream took the batch, false when it can't be reached now. */
export type FactSink = (batch: FactBatch) => Promise<boolean>;

export interface JournalState {
  readonly boot: string;
  readonly next: number;
  readonly facts: readonly NumberedFact[];
  /** Up to which number the log is known to have taken them in; absent: not known. */
  readonly accepted?: number;
}

const LARGEST_BATCH = 200;
/** Without progress for so long, what was delivered is sent again; twice as long each time, up to the longest. */
const PATIENCE_MS = 30_000;
const LONGEST_PATIENCE_MS = 480_000;
/** Taken in also when the journal is full. */
const KEPT: ReadonlySet<Fact['type']> = new Set(['SegmentOpened', 'SegmentClosed', 'PortActivated']);
/** What an inventory makes up for. */
const OF_INTERFACES: ReadonlySet<Fact['type']> = new Set([
  'Inventory',
  'InterfacePlugged',
  'InterfaceUnplugged',
]);

/**
 * Facts that the log does not yet hold, in order. A fact stays until the host document's `acceptedFactSeq` covers
 * it; the stream's acknowledgement alone only stops the resending. Bounded: when it is full, superseded inventories
 * go first, then the fact is refused and counted. What can't be told again is never dropped: counters, and that the
 * guest runs here. For interfaces that were not told an inventory makes up, as soon as there is room.
 */
export class FactJournal {
  /** What facts are numbered within. */
  readonly boot: string;
  #facts: NumberedFact[];
  #next: number;
  #accepted: number | undefined;
  /** Highest number handed to the stream with success in this run. */
  #delivered = 0;
  #sending = false;
  #resendAt: (() => void) | null = null;
  #impatient: (() => void) | null = null;
  #patience = PATIENCE_MS;
  #resending = 0;
  #refused = 0;
  /** Word of interfaces was refused: the log's picture of them is wrong until an inventory puts it right. */
  #owesInventory = false;
  #tellInventory: () => void = () => undefined;
  #written: Promise<void> | void = undefined;
  /** The disk refused it: what stands in memory only may not be told. */
  #unwritten = false;

  constructor(
    private readonly host: HostName,
    boot: string,
    private readonly sink: FactSink,
    /** Rejects when it could not be kept: then nothing is sent, and it is tried again. */
    private readonly persist: (state: JournalState) => Promise<void> | void,
    private readonly now: () => number,
    private readonly after: (ms: number, fn: () => void) => () => void,
    restored: JournalState | null,
    private readonly capacity = 10_000,
  ) {
    // The host's boot and this journal together: a journal that was lost begins a numbering of its own.
    const same = restored !== null && restored.boot.startsWith(`${boot}.`);
    this.boot = same ? restored.boot : `${boot}.${Math.trunc(now()).toString(36)}`;
    this.#facts = same ? [...restored.facts] : carried(restored);
    this.#next = same ? restored.next : this.#facts.length + 1;
    this.#accepted = same ? restored.accepted : 0;
  }

  get pending(): number {
    return this.#facts.length;
  }

  /** Facts refused because the journal was full. */
  get refused(): number {
    return this.#refused;
  }

  get state(): JournalState {
    // A copy: what is written a moment later must not hold facts that its `next` does not know of.
    const accepted = this.#accepted === undefined ? {} : { accepted: this.#accepted };
    return { boot: this.boot, next: this.#next, facts: [...this.#facts], ...accepted };
  }

  /** Takes a fact in and begins to send. An inventory supersedes earlier unsent inventories. */
  record(fact: Fact): void {
    if (fact.type === 'Inventory') {
      this.#facts = this.#facts.filter((f) => f.fact.type !== 'Inventory' || f.seq <= this.#delivered);
    }
    if (this.#facts.length >= this.capacity && !KEPT.has(fact.type)) {
      this.#refused += 1;
      this.#owesInventory ||= OF_INTERFACES.has(fact.type);
      return;
    }
    if (fact.type === 'Inventory') this.#owesInventory = false;
    this.#facts.push({ seq: this.#next, at: this.now(), fact });
    this.#next += 1;
    this.#write();
    this.kick();
  }

  /**
   * From the host document: what the log holds. It may hold less than it did: it was restored, or it removed this host
   * and has it anew. What was sent after more than that was refused, and so is all that follows; it is sent again now.
   */
  accepted(boot: string | null, seq: number): void {
    const held = boot === this.boot ? seq : 0;
    const isLess = this.#accepted !== undefined && held < this.#accepted;
    this.#accepted = held;
    if (isLess) this.resendAll();
    if (boot !== this.boot) return;
    const before = this.#facts.length;
    this.#facts = this.#facts.filter((f) => f.seq > seq);
    if (this.#facts.length !== before) this.#watch(PATIENCE_MS);
    if (this.#next <= seq) this.#next = seq + 1;
    if (this.#facts.length !== before) this.#write();
    if (this.#owesInventory && this.#facts.length < this.capacity) this.#tellInventory();
  }

  /** Who can say what is plugged now: asked when there is room again after word of interfaces was refused. */
  onRoom(tellInventory: () => void): void {
    this.#tellInventory = tellInventory;
  }

  /** Everything not yet accepted is sent again: after a reconnect, or when the centre lost its stream. */
  resendAll(): void {
    this.#delivered = 0;
    this.#resending += 1;
    this.kick();
  }

  kick(): void {
    if (this.#sending) return;
    this.#sending = true;
    this.#resendAt?.();
    this.#resendAt = null;
    void this.#send();
  }

  /** The stream has it, but the log may have refused the batch as a whole, or the stream may be lost. */
  #watch(patience: number): void {
    this.#impatient?.();
    this.#impatient = null;
    if (this.#delivered === 0 || this.#facts.length === 0) return;
    this.#impatient = this.after(patience, () => {
      this.#impatient = null;
      this.#patience = Math.min(LONGEST_PATIENCE_MS, patience * 2);
      this.resendAll();
    });
    this.#patience = patience;
  }

  #write(): void {
    this.#written = this.persist(this.state);
    // Looked at before something is sent.
    if (this.#written instanceof Promise) this.#written.catch(() => (this.#unwritten = true));
  }

  /** Not told before it is kept: a number that was told and forgotten would be given to another fact. */
  async #isKept(): Promise<boolean> {
    if (this.#unwritten) {
      this.#unwritten = false;
      this.#write();
    }
    try {
      await this.#written;
      return true;
    } catch {
      // Who keeps it says why.
      this.#unwritten = true;
      return false;
    }
  }

  async #send(): Promise<void> {
    let reached = true;
    for (;;) {
      reached = await this.#isKept();
      if (!reached) break;
      const batch = this.#facts.filter((f) => f.seq > this.#delivered).slice(0, LARGEST_BATCH);
      if (batch.length === 0) break;
      const resending = this.#resending;
      reached = await this.sink({
        schema: 1,
        host: this.host,
        boot: this.boot,
        ...this.#after(batch),
        abilities: ABILITIES,
        facts: batch,
      });
      if (!reached) break;
      // All is to be sent again since: what was under way meanwhile must not hide what stood before it.
      if (resending !== this.#resending) continue;
      this.#delivered = Math.max(this.#delivered, batch[batch.length - 1]?.seq ?? 0);
      // From the first that waits: more facts do not put it off.
      if (this.#impatient === null) this.#watch(this.#patience);
    }
    this.#sending = false;
    if (!reached) this.#resendAt = this.after(500, () => this.kick());
  }

  /** Of what stands here, not of the count: an inventory that another superseded is missed by nobody. */
  #after(batch: readonly NumberedFact[]): { readonly after?: number } {
    const first = batch[0]?.seq ?? 0;
    const after = this.#facts.findLast((f) => f.seq < first)?.seq ?? this.#accepted;
    return after === undefined ? {} : { after };
  }

  close(): void {
    this.#resendAt?.();
    this.#resendAt = null;
    this.#impatient?.();
    this.#impatient = null;
  }
}

/**
 * What an earlier boot had to tell and the log is not known to have: counters, activations and the hypervisor's word
 * hold for ever, and the log takes a repeat for what it is. What was plugged then is no more; an inventory follows.
 */
function carried(restored: JournalState | null): NumberedFact[] {
  const lasting = (restored?.facts ?? []).filter(({ fact }) => LASTING.has(fact.type));
  return lasting.map(({ at, fact }, i) => ({ seq: i + 1, at, fact }));
}

const LASTING: ReadonlySet<Fact['type']> = new Set([
  'SegmentOpened',
  'SegmentClosed',
  'PortActivated',
  'HypervisorMigration',
  'Drift',
]);

/** Checks what is on disk before it is believed. */
export function parseJournal(value: unknown): Result<JournalState> {
  const { boot, next, facts, accepted } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Partial<Record<keyof JournalState, unknown>>;
  if (typeof boot !== 'string') return err(invalid('journal.boot', boot, 'is not a string'));
  if (typeof next !== 'number' || !Number.isSafeInteger(next) || next < 1) {
    return err(invalid('journal.next', next, 'is not a number of a fact'));
  }
  if (accepted !== undefined && (typeof accepted !== 'number' || !Number.isSafeInteger(accepted))) {
    return err(invalid('journal.accepted', accepted, 'is not a number of a fact'));
  }
  const parsed = parseFacts(facts);
  if (!parsed.ok) return parsed;
  return ok({ boot, next, facts: parsed.value, ...(accepted === undefined ? {} : { accepted }) });
}
