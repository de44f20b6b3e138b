import { err, ok, problem, ProblemError, type Result } from '#kernel';
import { SUBJECTS } from '#contracts';
import {
  type AppendError,
  type CommitLog,
  type Following,
  type LogBegin,
  type NewMessage,
  type StoredMessage,
  type Topic,
} from '#event-store';
import { type Link } from './link.js';
import { type StreamMessage } from './stream.js';

const BATCH = 64;
const PREFIX = SUBJECTS.log('').length;

const stored = ({ seq, subject, bytes }: StreamMessage): StoredMessage => ({
  seq,
  topic: subject.slice(PREFIX) as Topic,
  bytes,
});

/** The log as a service reaches it over its connection; the same promises and faults as the JetStream adapter. */
export class LinkLog implements CommitLog {
  readonly maxBytes: number;

  constructor(private readonly link: Link) {
    this.maxBytes = link.server.maxBytes;
  }

  append(
    message: NewMessage,
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return this.appendRun([message], expectedLastSeq, previousId);
  }

  /** Sent in one go, and only the last is answered: any of them may not have arrived. */
  async appendRun(
    messages: readonly NewMessage[],
    expectedLastSeq: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    if (messages.some(({ bytes }) => bytes.length > this.maxBytes)) return err('too-large');
    const { link } = this;
    const last = messages.length - 1;
    const publish = ({ id, topic, bytes }: NewMessage, i: number) =>
      link.server.log.publish(SUBJECTS.log(topic), bytes, {
        msgId: id,
        lastSeq: expectedLastSeq + i,
        lastMsgId: i === 0 ? previousId : messages[i - 1]?.id,
      });
    const answer = await link.ask(
      `append ${expectedLastSeq + 1}`,
      () => messages.map((m, i) => (i < last && link.loses() ? null : publish(m, i))).at(-1) ?? null,
    );
    if (answer.kind === 'down') return err('unavailable');
    if (answer.kind === 'silence') return err('unknown');
    if (answer.value?.ok !== true) return err('wrong-last-sequence');
    const { seq, duplicate } = answer.value.value;
    return duplicate && seq !== expectedLastSeq + 1 + last ? err('wrong-last-sequence') : ok({ seq });
  }

  async *read(fromSeq: number, topic?: Topic): AsyncIterable<readonly StoredMessage[]> {
    const end = await this.last();
    if (topic !== undefined) {
      if (end === 0) return;
      const some = await this.asked('read', () => this.link.server.log.of(SUBJECTS.log(topic), fromSeq, end));
      yield some.map(stored);
      return;
    }
    for (let at = Math.max(1, fromSeq); at <= end; at += BATCH) {
      const upTo = Math.min(end, at + BATCH - 1);
      const batch = await this.asked('read', () => this.link.server.log.from(at, upTo));
      yield batch.map(stored);
    }
  }

  follow(
    fromSeq: number,
    handler: (m: StoredMessage) => void,
    onEnd: (cause: unknown) => void,
    onAgain: () => void = () => undefined,
  ): Following {
    let next = Math.max(1, fromSeq);
    let ended = false;
    const upTo = (seq: number): void => {
      for (const message of this.link.server.log.from(next, seq)) {
        if (ended) return;
        try {
          next = message.seq + 1;
          handler(stored(message));
        } catch (cause) {
          ended = true;
          onEnd(cause);
        }
      }
    };
    const tell = (seq: number): void => this.link.deliver(`reads the log to ${seq}`, () => upTo(seq));
    const offs = [
      this.link.server.log.tap((m) => tell(m.seq)),
      this.link.onState((up) => {
        if (!up) return;
        this.link.deliver('reads the log again', () => ended || onAgain());
        tell(this.link.server.log.lastSeq);
      }),
    ];
    this.link.process.onEnd(() => offs.forEach((off) => off()));
    tell(this.link.server.log.lastSeq);
    return {
      stop: () => {
        ended = true;
        offs.forEach((off) => off());
        return Promise.resolve();
      },
    };
  }

  last(): Promise<number> {
    return this.asked('last', () => this.link.server.log.lastSeq);
  }

  /** Nothing is archived in a simulated cluster's life. */
  begins(): Promise<LogBegin> {
    return Promise.resolve({ first: 1 });
  }

  private async asked<T>(what: string, work: () => T): Promise<T> {
    const answer = await this.link.ask(`log ${what}`, work, 5_000);
    if (answer.kind === 'answer') return answer.value;
    throw new ProblemError(problem('unavailable', `the log does not answer: ${answer.kind}`));
  }
}
