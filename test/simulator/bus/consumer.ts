import { type Scheduler } from '../engine/scheduler.js';
import { type Stream, type StreamMessage } from './stream.js';

export interface ConsumerSettings {
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
}

/** Who is given messages: at the moment or not, in order, and not lost while the connection stands. */
export interface Reader {
  readonly up: boolean;
  deliver(what: string, run: () => void): void;
  onState(watcher: (up: boolean) => void): () => void;
}

type Take = (message: StreamMessage) => void;

interface Current {
  readonly reader: Reader;
  readonly take: Take;
  /** Tells the reader that it is over, now if it can be reached. */
  readonly cutOff: () => void;
}

/** One reading: what it acknowledges counts only until another began. */
export interface Reading {
  ack(seq: number): void;
  /** It is still at it: the time to acknowledge runs anew. */
  working(seq: number): void;
  stop(): void;
}

/**
 * A consumer with explicit acknowledgement, made anew for each reading: it goes on behind what was acknowledged, and
 * cuts off the reading before it. What is not acknowledged in time comes again.
 */
export class Consumer {
  private next = 1;
  /** Everything up to here was acknowledged. */
  private floor = 0;
  private readonly acked = new Set<number>();
  /** Not acknowledged → when it is due again. */
  private readonly pending = new Map<number, number>();
  private current: Current | null = null;

  constructor(
    private readonly stream: Stream,
    private readonly scheduler: Scheduler,
    private readonly settings: ConsumerSettings,
  ) {
    stream.tap(() => this.pump());
  }

  /** `over`: the reading was cut off, and nothing more will come of it; who is not connected learns it later. */
  read(reader: Reader, take: Take, over: () => void): Reading {
    const cutOff = (): void => reader.deliver('facts: cut off', over);
    const reading = { reader, take, cutOff };
    const isCurrent = (): boolean => this.current === reading;
    const off = reader.onState((up) => {
      if (!up) return;
      if (isCurrent()) this.pump();
      else cutOff();
    });
    const before = this.current;
    this.goOnFrom(this.floor, reading);
    before?.cutOff();
    this.pump();
    return {
      ack: (seq) => isCurrent() && this.ack(seq),
      working: (seq) => {
        if (isCurrent() && this.pending.has(seq)) this.again(seq, this.settings.ackWaitMs);
      },
      stop: () => {
        off();
        if (isCurrent()) this.current = null;
      },
    };
  }

  /** Messages that were not acknowledged yet. */
  get open(): number {
    return this.stream.lastSeq - this.floor;
  }

  /** Up to where everything was acknowledged: what its server keeps of it. */
  copy(): number {
    return this.floor;
  }

  /** The server came back as it once was: whoever read has to begin anew. */
  restore(floor: number): void {
    this.goOnFrom(floor, null);
  }

  private goOnFrom(floor: number, reading: Current | null): void {
    this.current = reading;
    this.floor = floor;
    this.next = floor + 1;
    this.pending.clear();
    this.acked.clear();
  }

  private ack(seq: number): void {
    this.pending.delete(seq);
    this.acked.add(seq);
    while (this.acked.delete(this.floor + 1)) this.floor += 1;
    this.pump();
  }

  private again(seq: number, ms: number): void {
    const due = this.scheduler.now + ms;
    this.pending.set(seq, due);
    this.scheduler.at(due, null, 'facts: again', () => {
      if (this.pending.get(seq) === due) this.pump();
    });
  }

  private pump(): void {
    for (;;) {
      const { current } = this;
      if (current?.reader.up !== true) return;
      const seq = this.due();
      if (seq === undefined) return;
      const message = this.stream.messages.get(seq);
      this.again(seq, this.settings.ackWaitMs);
      if (message !== undefined)
        current.reader.deliver(`facts: ${message.subject} ${seq}`, () => current.take(message));
    }
  }

  private due(): number | undefined {
    const { now } = this.scheduler;
    const again = [...this.pending].filter(([, at]) => at <= now).map(([seq]) => seq);
    if (again.length > 0) return Math.min(...again);
    if (this.pending.size >= this.settings.maxAckPending || this.next > this.stream.lastSeq) return undefined;
    return this.next++;
  }
}
