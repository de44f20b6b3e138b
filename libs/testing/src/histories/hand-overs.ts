import { packetsOf, type DomainEvent, type State } from '#domain';

/** What a source counted of a guest until it let go of it. */
export interface HandOver {
  /** Packets that the guest sent there, and that were handed to it there, since it was plugged in. */
  readonly in: number;
  readonly out: number;
  /** False: not every value could be had, and the ledger says so. */
  readonly exact: boolean;
}

type Segment = Extract<DomainEvent, { type: 'SegmentOpened' | 'SegmentClosed' }>;
type Binding = Pick<Segment, 'port' | 'host' | 'epoch'>;

const NOTHING: HandOver = { in: 0, out: 0, exact: true };
const bindingKey = ({ port, host, epoch }: Binding): string => `${port} ${host} ${epoch}`;

/** Adds up the segments of each binding, commit by commit, from the log alone. */
export class HandOvers {
  readonly #openings = new Map<string, Segment>();
  readonly #counted = new Map<string, HandOver>();
  readonly #retired = new Set<string>();
  /** The bindings that each migration set out to end. */
  readonly #sources = new Map<string, readonly string[]>();

  /** The events of one commit, and the state that they came upon. */
  see(events: readonly DomainEvent[], before: State): void {
    for (const event of events) {
      if (event.type === 'SegmentOpened') this.#openings.set(segmentKey(event), event);
      if (event.type === 'SegmentClosed') this.#close(event);
      if (event.type === 'BindingRetired') this.#retired.add(bindingKey(event));
      if (event.type !== 'MigrationStarted') continue;
      const { id, source: host, ports } = event.migration;
      const keys = ports.flatMap(({ port }) => {
        const epoch = before.ports.get(port)?.active?.epoch;
        return epoch === undefined ? [] : bindingKey({ port, host, epoch });
      });
      this.#sources.set(id, keys);
    }
  }

  /** Null: the source has not let go of the guest, or still owes what it counted. */
  of(migration: string): HandOver | null {
    const keys = this.#sources.get(migration) ?? [];
    if (!keys.every((key) => this.#retired.has(key))) return null;
    return keys.map((key) => this.#counted.get(key) ?? NOTHING).reduce(plus, NOTHING);
  }

  #close(event: Extract<Segment, { type: 'SegmentClosed' }>): void {
    const opening = this.#openings.get(segmentKey(event));
    if (opening === undefined) return;
    this.#openings.delete(segmentKey(event));
    const key = bindingKey(event);
    const counted = {
      in: packetsOf(event.raw.in) - packetsOf(opening.raw.in),
      out: packetsOf(event.raw.out) - packetsOf(opening.raw.out),
      exact: event.inexact === undefined,
    };
    this.#counted.set(key, plus(this.#counted.get(key) ?? NOTHING, counted));
  }
}

const segmentKey = (segment: Segment): string => `${bindingKey(segment)} ${segment.incarnation}`;

const plus = (a: HandOver, b: HandOver): HandOver => ({
  in: a.in + b.in,
  out: a.out + b.out,
  exact: a.exact && b.exact,
});
