import { viewsOf, matches, type ClusterCommit, type EventFeed, type EventFilter } from './event-feed.js';

/** What of the response is used. */
export interface Sink {
  write(text: string): boolean;
  end(): void;
  readonly writableLength: number;
  on(event: 'close', listener: () => void): unknown;
}

const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is let go; it comes back with Last-Event-ID and misses nothing. */
const MAX_BUFFERED = 4 * 1024 * 1024;

/**
 * Tells a reader everything after a revision, then everything as it happens. Only the last event of a commit carries
 * the id, `<lineage>:<revision>`: who breaks off in the middle of one gets it again, whole.
 */
export class EventStream {
  private readonly early: ClusterCommit[] = [];
  private live = false;
  private closed = false;
  private readonly off: () => void;
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    private readonly feed: EventFeed,
    private readonly sink: Sink,
    private readonly filter: EventFilter,
    private last: { readonly lineage: string | null; readonly revision: number },
    private readonly onClose: () => void,
  ) {
    this.off = feed.onCommit((commit) => {
      if (this.live) this.tell(commit);
      else this.early.push(commit);
    });
    this.heartbeat = setInterval(() => this.write(': alive\n\n'), HEARTBEAT_MS);
    sink.on('close', () => this.close());
  }

  /** Sends what was missed; what happens meanwhile waits, and is told once. */
  async begin(): Promise<void> {
    const { lineage, revision } = this.last;
    this.write(`retry: 1000\nevent: hello\ndata: ${JSON.stringify({ lineage, revision })}\n\n`);
    for await (const commit of this.feed.commitsFrom(revision + 1)) {
      if (this.closed) return;
      this.tell(commit);
    }
    this.live = true;
    for (const commit of this.early.splice(0)) this.tell(commit);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.heartbeat);
    this.off();
    this.sink.end();
    this.onClose();
  }

  private tell(commit: ClusterCommit): void {
    const { lineage, revision } = commit;
    if (lineage === this.last.lineage && revision <= this.last.revision) return;
    this.last = { lineage, revision };
    const wanted = viewsOf(commit).filter((e) => matches(e, this.filter));
    const text = wanted.map((e, i) => {
      const id = i === wanted.length - 1 ? `id: ${lineage}:${revision}\n` : '';
      return `${id}event: event\ndata: ${JSON.stringify(e)}\n\n`;
    });
    if (text.length > 0) this.write(text.join(''));
  }

  private write(text: string): void {
    if (this.closed) return;
    this.sink.write(text);
    if (this.sink.writableLength > MAX_BUFFERED) this.close();
  }
}
