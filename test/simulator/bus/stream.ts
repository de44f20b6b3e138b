import { err, ok, type Result } from '#kernel';

export interface StreamMessage {
  readonly seq: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly msgId: string | null;
}

export interface PublishOptions {
  readonly msgId?: string | undefined;
  readonly lastSeq?: number | undefined;
  /** Of this subject; 0: it has none. */
  readonly lastSubjectSeq?: number | undefined;
  readonly lastMsgId?: string | undefined;
}

export type PublishError = 'wrong-last-sequence' | 'wrong-last-msg-id';

export interface PublishAck {
  readonly seq: number;
  readonly duplicate: boolean;
}

export interface StreamCopy {
  readonly messages: ReadonlyMap<number, StreamMessage>;
  readonly bySubject: ReadonlyMap<string, number>;
  readonly ids: ReadonlyMap<string, { readonly seq: number; readonly at: number }>;
  readonly lastSeq: number;
  readonly lastMsgId: string;
}

/** What a server has unless it is told otherwise. */
export const WINDOW_MS = 120_000;

/**
 * A JetStream stream with one replica: sequences without reuse, the message id looked at before the expectations and
 * for a window only, the last value of each subject kept where that is asked for, and everything stored told at once.
 */
export class Stream {
  readonly messages = new Map<number, StreamMessage>();
  private readonly bySubject = new Map<string, number>();
  private readonly ids = new Map<string, { readonly seq: number; readonly at: number }>();
  private readonly taps = new Set<(message: StreamMessage) => void>();
  lastSeq = 0;
  private lastMsgId = '';
  private deletedUpTo = 0;
  /** What is asked for was deleted: told to whoever deleted it, in stories nobody does. */
  onMissed: (seq: number) => void = () => undefined;
  /** Planted fault: expectations are not looked at. */
  careless = false;

  constructor(
    private readonly now: () => number,
    private readonly lastValueOnly: boolean,
    /** How long message ids are known. */
    private readonly windowMs: () => number = () => WINDOW_MS,
  ) {}

  publish(
    subject: string,
    bytes: Uint8Array,
    options: PublishOptions = {},
  ): Result<PublishAck, PublishError> {
    const { msgId, lastSeq, lastSubjectSeq, lastMsgId } = options;
    if (msgId !== undefined) {
      const known = this.ids.get(msgId);
      if (known !== undefined && this.now() - known.at < this.windowMs())
        return ok({ seq: known.seq, duplicate: true });
    }
    if (lastSubjectSeq !== undefined && lastSubjectSeq !== (this.last(subject)?.seq ?? 0))
      return err('wrong-last-sequence');
    if (!this.careless && lastSeq !== undefined && lastSeq !== this.lastSeq)
      return err('wrong-last-sequence');
    if (!this.careless && lastMsgId !== undefined && lastMsgId !== this.lastMsgId)
      return err('wrong-last-msg-id');
    this.lastSeq += 1;
    this.lastMsgId = msgId ?? '';
    const message = { seq: this.lastSeq, subject, bytes: bytes.slice(), msgId: msgId ?? null };
    if (msgId !== undefined) this.forgetIds();
    if (msgId !== undefined) this.ids.set(msgId, { seq: message.seq, at: this.now() });
    const before = this.lastValueOnly ? this.bySubject.get(subject) : undefined;
    if (before !== undefined) this.messages.delete(before);
    this.messages.set(message.seq, message);
    this.bySubject.set(subject, message.seq);
    for (const tap of this.taps) tap(message);
    return ok({ seq: message.seq, duplicate: false });
  }

  /** Those that are outside of the window, the eldest first. */
  private forgetIds(): void {
    for (const [id, { at }] of this.ids) {
      if (this.now() - at < this.windowMs()) return;
      this.ids.delete(id);
    }
  }

  /** Of one subject, those that are kept: which others stood between them, nobody asks. */
  of(subject: string, from: number, to: number): StreamMessage[] {
    const found = [...this.messages.values()].filter((m) => m.subject === subject);
    return found.filter(({ seq }) => seq >= from && seq <= to);
  }

  last(subject: string): StreamMessage | undefined {
    const seq = this.bySubject.get(subject);
    return seq === undefined ? undefined : this.messages.get(seq);
  }

  delete(seq: number): void {
    const message = this.messages.get(seq);
    if (message === undefined) return;
    this.messages.delete(seq);
    this.deletedUpTo = Math.max(this.deletedUpTo, seq);
    if (this.bySubject.get(message.subject) === seq) this.bySubject.delete(message.subject);
  }

  /** In order of their sequences; `upTo`: the last that is wanted. */
  from(seq: number, upTo = this.lastSeq): StreamMessage[] {
    const found: StreamMessage[] = [];
    if (!this.lastValueOnly) {
      if (seq <= this.deletedUpTo) this.onMissed(seq);
      for (let at = Math.max(1, seq); at <= Math.min(upTo, this.lastSeq); at += 1) {
        const message = this.messages.get(at);
        if (message !== undefined) found.push(message);
      }
      return found;
    }
    for (const message of this.messages.values())
      if (message.seq >= seq && message.seq <= upTo) found.push(message);
    return found;
  }

  /** What stands on its disk. */
  copy(): StreamCopy {
    const { lastSeq, lastMsgId } = this;
    return {
      messages: new Map(this.messages),
      bySubject: new Map(this.bySubject),
      ids: new Map(this.ids),
      lastSeq,
      lastMsgId,
    };
  }

  /** Goes on with what once stood there. */
  restore(copy: StreamCopy): void {
    const put = <K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>): void => {
      into.clear();
      for (const [key, value] of from) into.set(key, value);
    };
    put(this.messages, copy.messages);
    put(this.bySubject, copy.bySubject);
    put(this.ids, copy.ids);
    this.lastSeq = copy.lastSeq;
    this.lastMsgId = copy.lastMsgId;
  }

  /** Told of every message when it is stored. */
  tap(listener: (message: StreamMessage) => void): () => void {
    this.taps.add(listener);
    return () => this.taps.delete(listener);
  }
}
