import { err, ok, problem, type HostName, type Problem, type Result } from '#kernel';
import { isStateDocument, KEYS, type DocumentKey, type NoteDocument, type OpenDocument } from '#contracts';
import { type Mark } from '../marks.js';
import { type DocumentSource, type Received } from './source.js';
import { type Entry } from './table.js';

const AT_A_TIME = 32;

/** Reads and opens documents for one host. */
export class Reader {
  constructor(
    readonly host: HostName,
    private readonly source: DocumentSource,
    private readonly openDocument: OpenDocument,
  ) {}

  /** What stands under a key; where nothing does, an entry that says so as of `seq`. */
  async entry(key: DocumentKey, seq: number): Promise<Result<Entry>> {
    const got = await this.source.get(key);
    if (!got.ok) return got;
    return ok(got.value === null ? { seq, document: null, fault: null } : this.open(key, got.value));
  }

  async entries(keys: readonly DocumentKey[], seq: number): Promise<Result<[DocumentKey, Entry][]>> {
    const found: [DocumentKey, Entry][] = [];
    for (let from = 0; from < keys.length; from += AT_A_TIME) {
      const some = keys.slice(from, from + AT_A_TIME);
      const read = await Promise.all(some.map((key) => this.patiently(key, seq)));
      for (const [i, entry] of read.entries()) {
        if (!entry.ok) return entry;
        found.push([some[i] ?? '', entry.value]);
      }
    }
    return ok(found);
  }

  /** One question that was lost, or answered too late, is cheaper asked again than all that was read with it. */
  private async patiently(key: DocumentKey, seq: number): Promise<Result<Entry>> {
    const first = await this.entry(key, seq);
    return first.ok ? first : this.entry(key, seq);
  }

  open(key: DocumentKey, { bytes, seq }: Received): Entry {
    const opened = this.openDocument(bytes, key);
    if (!opened.ok) return { seq, document: null, fault: opened.error };
    if (!isStateDocument(opened.value))
      return { seq, document: null, fault: problem('invalid', `is a ${opened.value.type}`) };
    return { seq, document: opened.value, fault: null };
  }

  /** The mark that stands now; null: none yet, or nothing was projected yet. */
  async mark(): Promise<Result<Mark | null>> {
    const got = await this.source.get(KEYS.mark);
    if (!got.ok) return got;
    if (got.value === null) return ok(null);
    const mark = this.openMark(got.value);
    if (!mark.ok) return mark;
    return ok(mark.value.document.revision === 0 ? null : mark.value);
  }

  openMark({ bytes, seq }: Received): Result<Mark, Problem> {
    const opened = this.openDocument(bytes, KEYS.mark);
    if (!opened.ok) return opened;
    const document = opened.value;
    return document.type === 'mark' ? ok({ document, seq }) : err(problem('invalid', 'not a mark'));
  }

  openNote(bytes: Uint8Array): Result<NoteDocument> {
    const opened = this.openDocument(bytes, KEYS.note(this.host));
    if (!opened.ok) return opened;
    return opened.value.type === 'note' ? ok(opened.value) : err(problem('invalid', 'not a note'));
  }
}
