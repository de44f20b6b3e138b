import { type Scheduler } from '../engine/scheduler.js';
import { type Link } from './link.js';
import { type Stream, type StreamMessage } from './stream.js';

export interface ConsumerSettings {
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
}

type Take = (message: StreamMessage) => void;

/** A durable pull consumer with explicit acknowledgement: what is not acknowledged in time, or refused, comes again. */
export class Consumer {
  private next = 1;
  /** Not acknowledged → when it is due again. */
  private readonly pending = new Map<number, number>();
  private readonly pulls: { readonly link: Link; readonly take: Take }[] = [];

  constructor(
    private readonly stream: Stream,
    private readonly scheduler: Scheduler,
    private readonly settings: ConsumerSettings,
  ) {
    stream.tap(() => this.pump());
  }

  /** Deliveries go to one of those who pull. */
  pull(link: Link, take: Take): () => void {
    const pull = { link, take };
    this.pulls.push(pull);
    this.pump();
    const stop = (): void => {
      const at = this.pulls.indexOf(pull);
      if (at >= 0) this.pulls.splice(at, 1);
    };
    link.process.onEnd(stop);
    return stop;
  }

  ack(seq: number): void {
    this.pending.delete(seq);
    this.pump();
  }

  nak(seq: number, delayMs: number): void {
    if (!this.pending.has(seq)) return;
    this.again(seq, delayMs);
  }

  get open(): number {
    return this.pending.size + (this.stream.lastSeq + 1 - this.next);
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
      const pull = this.pulls.find((p) => p.link.up);
      if (pull === undefined) return;
      const seq = this.due();
      if (seq === undefined) return;
      const message = this.stream.messages.get(seq);
      this.again(seq, this.settings.ackWaitMs);
      if (message !== undefined)
        pull.link.deliver(`facts: ${message.subject} ${seq}`, () => pull.take(message));
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
