import { err, ok, problem, type Clock, type HostName, type Random, type Result } from '#kernel';
import { KEYS, type DocumentKey } from '#contracts';
import {
  type DocumentStore,
  type PutError,
  type StoreContent,
  type StoredDocument,
} from '../projector/store.js';
import { type DocumentSource, type Received, type SourceListener } from '../sync/source.js';

/** What must be last: a sequence and, of what is pipelined, the very message that goes before. */
interface Expectation {
  readonly lastSeq: number;
  readonly id: string;
  readonly previous: string | null;
}

type Tap = (key: DocumentKey, received: Received) => void;

/** How badly the network behaves: probabilities, and the longest delay in ms. */
export interface Weather {
  drop: number;
  duplicate: number;
  failure: number;
  delay: number;
}

/** A last-value stream with republish, in memory: what JetStream promises, no more. */
export class SimStream {
  readonly messages = new Map<DocumentKey, Received>();
  readonly taps = new Set<Tap>();
  /** Of core messages, which nobody stores. */
  readonly noteTaps = new Set<(host: HostName, note: Uint8Array) => void>();
  lastSeq = 0;
  private lastId = '';

  put(key: DocumentKey, bytes: Uint8Array, expected: Expectation): Result<{ seq: number }, PutError> {
    const { lastSeq, id, previous } = expected;
    if (lastSeq !== this.lastSeq || (previous !== null && previous !== this.lastId))
      return err('wrong-last-sequence');
    this.lastId = id;
    this.lastSeq += 1;
    const received = { bytes, seq: this.lastSeq };
    this.messages.set(key, received);
    for (const tap of this.taps) tap(key, received);
    return ok({ seq: received.seq });
  }

  remove(seq: number): void {
    for (const [key, message] of this.messages) if (message.seq === seq) this.messages.delete(key);
  }

  /** As if the stream had been deleted and made anew. */
  wipe(): void {
    this.messages.clear();
    this.lastSeq = 0;
    this.lastId = '';
  }
}

const lost = problem('unavailable', 'lost on the way');

/** One projector's way to the stream: requests stay in order, answers may get lost, the process may die or freeze. */
export class SimStore implements DocumentStore {
  private lastArrival = 0;
  private holdUntil = 0;
  private lastPut: { seq: number; id: string } | null = null;
  private puts = 0;
  dead = false;
  /** Dies when it has stored so many more. */
  deadAfter = Number.POSITIVE_INFINITY;

  constructor(
    private readonly stream: SimStream,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly weather: Weather,
    private readonly name: string,
  ) {}

  /** What it sends from now on arrives only then: a process that was asleep. */
  freeze(ms: number): void {
    this.holdUntil = this.clock.monotonic() + ms;
  }

  async mark(): Promise<Result<StoredDocument | null>> {
    await this.way();
    if (this.random.chance(this.weather.failure)) return err(lost);
    const found = this.stream.messages.get(KEYS.mark);
    await this.way();
    return ok(found === undefined ? null : { key: KEYS.mark, ...found });
  }

  async load(after = 0): Promise<Result<StoreContent>> {
    this.lastPut = null;
    await this.way();
    if (this.random.chance(this.weather.failure)) return err(lost);
    const { lastSeq } = this.stream;
    await this.way();
    const all = [...this.stream.messages].map(([key, m]) => ({ key, ...m }));
    return ok({ lastSeq, documents: all.filter((m) => m.seq > after).sort((a, b) => a.seq - b.seq) });
  }

  async put(
    key: DocumentKey,
    bytes: Uint8Array,
    lastSeq: number,
  ): Promise<Result<{ seq: number }, PutError>> {
    const id = `${this.name}-${(this.puts += 1)}`;
    const previous = this.lastPut?.seq === lastSeq ? this.lastPut.id : null;
    this.lastPut = { seq: lastSeq + 1, id };
    const arrives = !this.random.chance(this.weather.failure / 4);
    await this.way();
    if (!arrives) return this.silence();
    const stored = this.stream.put(key, bytes, { lastSeq, id, previous });
    if (stored.ok) this.deadAfter -= 1;
    if (this.deadAfter <= 0) this.dead = true;
    if (this.random.chance(this.weather.failure / 4)) return this.silence();
    await this.way();
    return stored;
  }

  tell(host: HostName, note: Uint8Array): void {
    if (this.dead) return;
    void this.way().then(() => {
      for (const tap of this.stream.noteTaps) tap(host, note);
    });
  }

  async remove(seq: number): Promise<Result<void>> {
    await this.way();
    this.stream.remove(seq);
    return ok(undefined);
  }

  private async silence(): Promise<Result<never, PutError>> {
    await new Promise<void>((resolve) => void this.clock.after(2000, resolve));
    return err('unknown');
  }

  /** In order: nothing overtakes. What a dead process sent never arrives, and it hears nothing. */
  way(): Promise<void> {
    const now = this.clock.monotonic();
    const arrival = now + this.random.below(this.weather.delay);
    this.lastArrival = Math.max(this.lastArrival, arrival, this.holdUntil);
    return new Promise((resolve) => {
      this.clock.after(this.lastArrival - now, () => {
        if (!this.dead) resolve();
      });
    });
  }
}

/** One agent's way to the stream: republished messages are lost, doubled, delayed and so put out of order. */
export class SimSource implements DocumentSource {
  private listener: SourceListener | null = null;
  private up = true;
  private followed: ReadonlySet<DocumentKey> = new Set();

  constructor(
    private readonly host: string,
    private readonly stream: SimStream,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly weather: Weather,
  ) {}

  subscribe(listener: SourceListener): () => void {
    this.listener = listener;
    const tap: Tap = (key, received) => this.republished(key, received);
    this.stream.taps.add(tap);
    const noteTap = (host: HostName, note: Uint8Array): void => {
      if (host === this.host) this.comes(() => this.listener?.note(note));
    };
    this.stream.noteTaps.add(noteTap);
    return () => {
      this.stream.taps.delete(tap);
      this.stream.noteTaps.delete(noteTap);
      this.listener = null;
    };
  }

  follow(keys: ReadonlySet<DocumentKey>): void {
    this.followed = keys;
  }

  async flush(): Promise<Result<void>> {
    await this.way();
    return this.fails() ? err(lost) : ok(undefined);
  }

  async get(key: DocumentKey): Promise<Result<Received | null>> {
    await this.way();
    const found = this.stream.messages.get(key) ?? null;
    await this.way();
    return this.fails() ? err(lost) : ok(found);
  }

  disconnect(): void {
    this.up = false;
  }

  reconnect(): void {
    this.up = true;
    this.listener?.reconnected();
  }

  private republished(key: DocumentKey, received: Received): void {
    const isHeard = key === KEYS.mark || this.followed.has(key) || key.startsWith(`h.${this.host}.`);
    if (isHeard) this.comes(() => this.listener?.message(key, received));
  }

  private comes(deliver: () => void): void {
    if (!this.up) return;
    const { drop, duplicate } = this.weather;
    const times = this.random.chance(drop) ? 0 : this.random.chance(duplicate) ? 2 : 1;
    for (let i = 0; i < times; i += 1) {
      this.clock.after(this.random.below(this.weather.delay), () => {
        if (this.up) deliver();
      });
    }
  }

  private fails(): boolean {
    return !this.up || this.random.chance(this.weather.failure);
  }

  private way(): Promise<void> {
    const ms = this.random.below(this.weather.delay);
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}
