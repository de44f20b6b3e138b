import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type PublishOptions } from './stream.js';

export type StreamName = 'log' | 'documents' | 'facts';

export interface Stored {
  readonly seq: number;
  readonly subject: string;
  readonly text: string;
}

/** Batches of facts as one reader gets them. */
export interface TestReading {
  /** Sequences delivered so far, repeats among them. */
  readonly got: readonly number[];
  /** It was told that another cut it off. */
  isOver(): boolean;
  ack(seq: number): Promise<void>;
  working(seq: number): Promise<void>;
  stop(): Promise<void>;
}

/** A bus with the product's streams, empty: the simulated one, or a real server's. */
export interface TestBus {
  publish(
    stream: StreamName,
    subject: string,
    text: string,
    options?: PublishOptions,
  ): Promise<
    { readonly seq: number; readonly duplicate: boolean } | 'wrong-last-sequence' | 'wrong-last-msg-id'
  >;
  last(stream: StreamName, subject: string): Promise<Stored | null>;
  all(stream: StreamName, from: number): Promise<readonly Stored[]>;
  lastSeq(stream: StreamName): Promise<number>;
  remove(seq: number): Promise<void>;
  /** What was republished of the documents so far. */
  readonly live: readonly Stored[];
  read(): Promise<TestReading>;
  hold(role: string, holder: string, expected: number | null): Promise<number | null>;
  /** Until a condition holds; false when it does not within `ms`. */
  until(ms: number, done: () => boolean | Promise<boolean>): Promise<boolean>;
  close(): Promise<void>;
}

/** For what comes at once, on machines that may be busy with other things. */
const LIMIT_MS = 20_000;
/** Of the facts' consumer. */
export const ACK_WAIT_MS = 2_000;
export const LEASE_MS = 2_000;
/** Message ids are known for so long in the buses under test: longer than a busy machine makes a test last. */
const WINDOW_MS = 30_000;
/** Where it is waited for. */
const SHORT_WINDOW_MS = 1_000;

/** What the product rests on, held by both: else what the simulator proves is true of the simulator only. */
export function describeBus(name: string, open: (windowMs: number) => Promise<TestBus>): void {
  describe(`the bus (${name})`, () => {
    let bus: TestBus;
    beforeEach(async () => {
      bus = await open(WINDOW_MS);
    });
    afterEach(() => bus?.close());
    const log = (text: string, options?: PublishOptions) => bus.publish('log', 'log.commit', text, options);
    const put = (key: string, text: string, options?: PublishOptions) =>
      bus.publish('documents', `doc.${key}`, text, options);
    const fact = (text: string) => bus.publish('facts', 'fact.h1', text);
    const stored = (seq: number) => ({ seq, duplicate: false });

    it('numbers what it stores from 1, and answers with the number', async () => {
      expect(await bus.lastSeq('log')).toBe(0);
      expect(await log('a', { lastSeq: 0 })).toEqual(stored(1));
      expect(await log('b')).toEqual(stored(2));
      expect(await bus.lastSeq('log')).toBe(2);
      expect((await bus.all('log', 1)).map(({ seq, text }) => [seq, text])).toEqual([
        [1, 'a'],
        [2, 'b'],
      ]);
      expect((await bus.all('log', 2)).map(({ seq }) => seq)).toEqual([2]);
    });

    it('refuses what expects another last message of the stream, and stores nothing of it', async () => {
      await log('a');
      expect(await log('b', { lastSeq: 0 })).toBe('wrong-last-sequence');
      expect(await log('b', { lastSeq: 2 })).toBe('wrong-last-sequence');
      expect(await bus.lastSeq('log')).toBe(1);
      expect(await log('b', { lastSeq: 1 })).toEqual(stored(2));
    });

    it('refuses what expects another last message of its subject', async () => {
      await put('a', '1');
      await put('b', '2');
      expect(await put('a', '3', { lastSubjectSeq: 2 })).toBe('wrong-last-sequence');
      expect(await put('a', '3', { lastSubjectSeq: 1 })).toEqual(stored(3));
      expect(await put('c', '4', { lastSubjectSeq: 1 })).toBe('wrong-last-sequence');
      expect(await put('c', '4', { lastSubjectSeq: 0 })).toEqual(stored(4));
    });

    it('refuses what expects another id of the last message; one without an id has none', async () => {
      await log('a', { msgId: 'a' });
      expect(await log('b', { msgId: 'b', lastMsgId: 'x' })).toBe('wrong-last-msg-id');
      expect(await log('b', { msgId: 'b', lastMsgId: 'a', lastSeq: 1 })).toEqual(stored(2));
      await log('c');
      expect(await log('d', { msgId: 'd', lastMsgId: 'b' })).toBe('wrong-last-msg-id');
    });

    it('looks at the number before the id', async () => {
      await log('a', { msgId: 'a' });
      expect(await log('b', { lastSeq: 7, lastMsgId: 'x' })).toBe('wrong-last-sequence');
    });

    it('knows a message id again, whatever comes with it, and answers with the first place', async () => {
      await log('a', { msgId: 'a', lastSeq: 0 });
      await log('b', { msgId: 'b', lastSeq: 1 });
      expect(await log('other', { msgId: 'a', lastSeq: 0 })).toEqual({ seq: 1, duplicate: true });
      expect(await log('other', { msgId: 'a', lastSeq: 9, lastMsgId: 'x' })).toEqual({
        seq: 1,
        duplicate: true,
      });
      expect(await bus.lastSeq('log')).toBe(2);
    });

    it('knows the id of what it refused not', async () => {
      await log('a', { msgId: 'a', lastSeq: 5 });
      expect(await log('a', { msgId: 'a', lastSeq: 0 })).toEqual(stored(1));
    });

    it('forgets ids after the window: the same message is stored again', async () => {
      await bus.close();
      bus = await open(SHORT_WINDOW_MS);
      await log('a', { msgId: 'a' });
      const again = async (): Promise<boolean> => {
        const answer = await log('a', { msgId: 'a' });
        return typeof answer === 'object' && !answer.duplicate;
      };
      expect(await again()).toBe(false);
      expect(await bus.until(SHORT_WINDOW_MS * 20, again)).toBe(true);
      expect(await bus.lastSeq('log')).toBe(2);
    });

    it('keeps the last document of each key, under its number', async () => {
      await put('a', '1');
      await put('b', '2');
      await put('a', '3');
      expect(await bus.last('documents', 'doc.a')).toMatchObject({ seq: 3, text: '3' });
      expect(await bus.last('documents', 'doc.c')).toBeNull();
      expect((await bus.all('documents', 1)).map(({ seq }) => seq)).toEqual([2, 3]);
    });

    it('gives no number twice, also when the last message was taken out', async () => {
      await put('a', '1');
      await put('b', '2');
      await bus.remove(2);
      expect(await bus.last('documents', 'doc.b')).toBeNull();
      expect(await bus.lastSeq('documents')).toBe(2);
      expect(await put('b', '3', { lastSeq: 2, lastSubjectSeq: 0 })).toEqual(stored(3));
    });

    it('publishes again what it stored of the documents, with its number, and nothing else', async () => {
      await put('a', '1', { msgId: 'a' });
      await put('a', '1', { msgId: 'a' });
      await put('b', 'x', { lastSeq: 9 });
      await put('b', '2');
      await log('c');
      expect(await bus.until(LIMIT_MS, () => bus.live.length >= 2)).toBe(true);
      // The simulated network is worse than a real one: it also puts them out of order.
      expect([...bus.live].sort((a, b) => a.seq - b.seq)).toEqual([
        { subject: 'a', seq: 1, text: '1' },
        { subject: 'b', seq: 2, text: '2' },
      ]);
    });

    it('gives facts out one by one: the next when the last was acknowledged', async () => {
      await fact('a');
      await fact('b');
      const reading = await bus.read();
      expect(await bus.until(LIMIT_MS, () => reading.got.length > 0)).toBe(true);
      expect(await bus.until(300, () => reading.got.length > 1)).toBe(false);
      await reading.ack(1);
      expect(await bus.until(LIMIT_MS, () => reading.got.length > 1)).toBe(true);
      expect(reading.got).toEqual([1, 2]);
      await reading.stop();
    });

    it('gives facts again that were not acknowledged in time, and waits for who is still at it', async () => {
      await fact('a');
      const reading = await bus.read();
      const repeated = () => reading.got.length > 1;
      // Longer than the wait in all, and never by more than half of it.
      for (let round = 0; round < 3; round += 1) {
        expect(await bus.until(ACK_WAIT_MS * 0.4, repeated)).toBe(false);
        await reading.working(1);
      }
      expect(await bus.until(ACK_WAIT_MS * 3, repeated)).toBe(true);
      expect(reading.got.slice(0, 2)).toEqual([1, 1]);
      await reading.stop();
    });

    it('goes on behind what was acknowledged with a new reading, which cuts the one before off', async () => {
      for (const text of ['a', 'b', 'c']) await fact(text);
      const first = await bus.read();
      expect(await bus.until(LIMIT_MS, () => first.got.length === 1)).toBe(true);
      await first.ack(1);
      expect(await bus.until(LIMIT_MS, () => first.got.length === 2)).toBe(true);
      const second = await bus.read();
      expect(await bus.until(LIMIT_MS, () => first.isOver())).toBe(true);
      expect(await bus.until(LIMIT_MS, () => second.got.length === 1)).toBe(true);
      expect(second.got).toEqual([2]);
      // Too late: what it says concerns nobody any more.
      await first.ack(2);
      expect(await bus.until(ACK_WAIT_MS * 3, () => second.got.length === 2)).toBe(true);
      expect(second.got).toEqual([2, 2]);
      expect(first.got).toEqual([1, 2]);
      expect(second.isOver()).toBe(false);
      await second.stop();
    });

    it('gives a lease to one, who keeps it as long as it is refreshed at the right revision', async () => {
      const one = await bus.hold('role', 'a', null);
      expect(one).not.toBeNull();
      expect(await bus.hold('role', 'b', null)).toBeNull();
      const two = await bus.hold('role', 'a', one);
      expect(two).toBeGreaterThan(one ?? 0);
      expect(await bus.hold('role', 'a', one)).toBeNull();
      const taken = async (): Promise<boolean> => (await bus.hold('role', 'b', null)) !== null;
      expect(await bus.until(LEASE_MS / 4, taken)).toBe(false);
      expect(await bus.until(LEASE_MS * 8, taken)).toBe(true);
      expect(await bus.hold('role', 'a', two)).toBeNull();
    });
  });
}
