import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CommitLog, type NewMessage, type StoredMessage, type Topic } from './commit-log.js';

/** A log that is empty, and a second writer of the same log. */
export interface LogUnderTest {
  readonly log: CommitLog;
  readonly other: CommitLog;
  close(): Promise<void>;
}

const text = (m: StoredMessage): string => new TextDecoder().decode(m.bytes);

export function message(id: string, topic: Topic = 'commit', body = `body of ${id}`): NewMessage {
  return { id, topic, bytes: new TextEncoder().encode(body) };
}

async function readAll(log: CommitLog, from = 1, topic?: Topic): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for await (const batch of log.read(from, topic)) all.push(...batch);
  return all;
}

/** Collects what a follower gets and lets a test wait for a number of messages. */
function collector(log: CommitLog, from: number) {
  const got: StoredMessage[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const faults: unknown[] = [];
  const following = log.follow(
    from,
    (m) => {
      got.push(m);
      for (const w of waiting) if (got.length >= w.count) w.resolve();
    },
    (cause) => faults.push(cause),
  );
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      if (got.length >= count) resolve();
      else waiting.push({ count, resolve });
    });
  return { got, faults, until, stop: () => following.stop() };
}

/** What every adapter of the log must do. Registers the tests; `open` makes an empty log for each. */
export function describeCommitLog(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`${name} as a commit log`, () => {
    let under: LogUnderTest;
    let log: CommitLog;
    beforeEach(async () => {
      under = await open();
      log = under.log;
    });
    afterEach(() => under.close());

    it('is empty at first', async () => {
      expect(await log.last()).toBe(0);
      expect(await readAll(log)).toEqual([]);
    });

    it('stores at the expected place and reads back the same bytes', async () => {
      expect(await log.append(message('a'), 0)).toEqual({
        ok: true,
        value: expect.objectContaining({ seq: 1 }),
      });
      expect(await log.append(message('b', 'chunk'), 1)).toMatchObject({ ok: true, value: { seq: 2 } });
      expect(await log.last()).toBe(2);
      const all = await readAll(log);
      expect(all.map((m) => [m.seq, m.topic, text(m)])).toEqual([
        [1, 'commit', 'body of a'],
        [2, 'chunk', 'body of b'],
      ]);
    });

    it('refuses a place that is taken or not yet reached', async () => {
      await log.append(message('a'), 0);
      expect(await log.append(message('b'), 0)).toEqual({ ok: false, error: 'wrong-last-sequence' });
      expect(await log.append(message('c'), 7)).toEqual({ ok: false, error: 'wrong-last-sequence' });
      expect(await log.last()).toBe(1);
    });

    it('stores a repeated append once and answers with the first place', async () => {
      await log.append(message('a'), 0);
      await log.append(message('b'), 1);
      expect(await log.append(message('a'), 0)).toMatchObject({ ok: true, value: { seq: 1 } });
      expect(await log.last()).toBe(2);
    });

    it('does not take an id again at another place', async () => {
      await log.append(message('a'), 0);
      expect(await log.append(message('a'), 1)).toEqual({ ok: false, error: 'wrong-last-sequence' });
      expect(await log.last()).toBe(1);
    });

    it('refuses a message that is too large', async () => {
      const large = message('a', 'commit', 'x'.repeat(log.maxBytes + 1));
      expect(await log.append(large, 0)).toEqual({ ok: false, error: 'too-large' });
      const largest = message('b', 'commit', 'x'.repeat(log.maxBytes));
      expect(await log.append(largest, 0)).toMatchObject({ ok: true });
    });

    it('keeps the order of appends that overlap', async () => {
      const ids = Array.from({ length: 300 }, (_, i) => `m${i}`);
      const results = await Promise.all(
        ids.map((id, i) => log.append(message(id), i, i === 0 ? undefined : ids[i - 1])),
      );
      expect(results.map((r) => r.ok && r.value.seq)).toEqual(ids.map((_, i) => i + 1));
      expect((await readAll(log)).map(text)).toEqual(ids.map((id) => `body of ${id}`));
    });

    it('stores a run behind the one before it, and answers with the place of its last', async () => {
      const ids = Array.from({ length: 100 }, (_, i) => `m${i}`);
      const results = await Promise.all([
        log.appendRun(
          ids.slice(0, 40).map((id) => message(id)),
          0,
        ),
        log.appendRun(
          ids.slice(40, 41).map((id) => message(id)),
          40,
          'm39',
        ),
        log.appendRun(
          ids.slice(41).map((id) => message(id)),
          41,
          'm40',
        ),
      ]);
      expect(results.map((r) => r.ok && r.value.seq)).toEqual([40, 41, 100]);
      expect((await readAll(log)).map(text)).toEqual(ids.map((id) => `body of ${id}`));
    });

    it('stores of a run what comes before a message that finds no place, and tells that the last has none', async () => {
      await log.append(message('taken'), 0);
      const run = [message('a'), message('taken'), message('b')];
      expect(await log.appendRun(run, 1, 'taken')).toEqual({ ok: false, error: 'wrong-last-sequence' });
      expect((await readAll(log)).map(text)).toEqual(['body of taken', 'body of a']);
    });

    it("stores nothing of a fenced writer's run, even where the places would fit", async () => {
      await log.append(message('a'), 0);
      await under.other.append(message('other'), 1);
      const results = await Promise.all([
        log.appendRun([message('b'), message('c')], 1),
        log.appendRun([message('d'), message('e')], 3, 'c'),
      ]);
      expect(results).toEqual(Array(2).fill({ ok: false, error: 'wrong-last-sequence' }));
      expect((await readAll(log)).map(text)).toEqual(['body of a', 'body of other']);
    });

    it('stores nothing of a run with a message that is too large', async () => {
      const run = [message('a'), message('b', 'commit', 'x'.repeat(log.maxBytes + 1)), message('c')];
      expect(await log.appendRun(run, 0)).toEqual({ ok: false, error: 'too-large' });
      expect(await log.last()).toBe(0);
    });

    it("stores none of a fenced writer's overlapping appends, even where the place would fit", async () => {
      await log.append(message('a'), 0);
      await under.other.append(message('other'), 1);
      const results = await Promise.all([
        log.append(message('b'), 1),
        log.append(message('c'), 2, 'b'),
        log.append(message('d'), 3, 'c'),
      ]);
      expect(results).toEqual(Array(3).fill({ ok: false, error: 'wrong-last-sequence' }));
      expect((await readAll(log)).map(text)).toEqual(['body of a', 'body of other']);
    });

    it('reads from a place, and by topic', async () => {
      for (let i = 0; i < 10; i++) {
        await log.append(message(`m${i}`, i === 3 || i === 7 ? 'repudiation' : 'commit'), i);
      }
      expect((await readAll(log, 9)).map((m) => m.seq)).toEqual([9, 10]);
      expect((await readAll(log, 11)).map((m) => m.seq)).toEqual([]);
      expect((await readAll(log, 1, 'repudiation')).map((m) => m.seq)).toEqual([4, 8]);
      expect((await readAll(log, 5, 'repudiation')).map((m) => m.seq)).toEqual([8]);
      expect(await readAll(log, 1, 'chunk')).toEqual([]);
    });

    it('can be left in the middle of reading', async () => {
      for (let i = 0; i < 5; i++) await log.append(message(`m${i}`), i);
      for await (const batch of log.read(1)) {
        expect(batch[0]?.seq).toBe(1);
        break;
      }
      expect(await readAll(log)).toHaveLength(5);
    });

    it('follows what was stored and what comes, without a gap and once', async () => {
      for (let i = 0; i < 50; i++) await log.append(message(`m${i}`), i);
      const follower = collector(log, 11);
      for (let i = 50; i < 100; i++) await under.other.append(message(`m${i}`), i);
      await follower.until(90);
      await follower.stop();
      await log.append(message('late'), 100);
      expect(follower.got.map((m) => m.seq)).toEqual(Array.from({ length: 90 }, (_, i) => i + 11));
      expect(follower.faults).toEqual([]);
    });

    it('hands an exception of the handler to its owner', async () => {
      await log.append(message('a'), 0);
      const cause = await new Promise((resolve) => {
        log.follow(
          1,
          () => {
            throw new Error('a defect');
          },
          resolve,
        );
      });
      expect(cause).toEqual(new Error('a defect'));
    });
  });
}
