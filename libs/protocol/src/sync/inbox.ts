import { type DocumentKey } from '#contracts';
import { type Received } from './source.js';

/** More than this waiting means that the reader is stuck: it starts over. */
const MOST = 100_000;

/**
 * What arrived since the last complete mark, by key, newest only; and the sequences of own keys, to be counted against
 * the mark. Shared documents that nobody needs yet are kept until the mark too: who comes to need them has them.
 */
export class Inbox {
  private readonly newest = new Map<DocumentKey, Received>();
  private ownSeqs = new Set<number>();
  overflow = false;

  constructor(private readonly ownPrefix: string) {}

  add(key: DocumentKey, received: Received): void {
    if (this.newest.size >= MOST || this.ownSeqs.size >= MOST) {
      this.overflow = true;
      return;
    }
    if (key.startsWith(this.ownPrefix)) this.ownSeqs.add(received.seq);
    const held = this.newest.get(key);
    if (held === undefined || held.seq < received.seq) this.newest.set(key, received);
  }

  clear(): void {
    this.newest.clear();
    this.ownSeqs.clear();
    this.overflow = false;
  }

  get isEmpty(): boolean {
    return this.newest.size === 0;
  }

  shared(): [DocumentKey, Received][] {
    return [...this.newest].filter(([key]) => !key.startsWith(this.ownPrefix));
  }

  /** Forgets one that turned out to be unreadable, as if it had never come. */
  discard(key: DocumentKey, seq: number): void {
    this.ownSeqs.delete(seq);
    if (this.newest.get(key)?.seq === seq) this.newest.delete(key);
  }

  own(): [DocumentKey, Received][] {
    return [...this.newest].filter(([key]) => key.startsWith(this.ownPrefix));
  }

  /** Whether every own document between two marks arrived: their number, and the last of them. */
  holdsOwn(after: number, before: number, count: number, last: number): boolean {
    const between = [...this.ownSeqs].filter((seq) => seq > after && seq < before);
    return between.length === count && (count === 0 || this.ownSeqs.has(last));
  }

  /** Forgets what a complete mark has covered. */
  covered(seq: number): void {
    for (const [key, received] of this.newest) if (received.seq <= seq) this.newest.delete(key);
    this.ownSeqs = new Set([...this.ownSeqs].filter((s) => s > seq));
  }
}
