import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap, type Result } from '#kernel';
import { type CommitLog, type StoredMessage } from './commit-log.js';
import { type Accepted } from './decider.js';
import {
  accountCodec,
  copyOf,
  counterIds,
  FaultyLog,
  instantClock,
  rules,
  type Account,
  type Fault,
  type Happened,
  type Order,
} from './fixtures.js';
import { InMemoryLog } from './in-memory-log.js';
import { openSequencer } from './open-sequencer.js';
import { replay } from './replay.js';
import { type Sequencer } from './sequencer.js';
import { stateDigest } from './snapshot.js';

let writers = 0;

async function open(
  log: CommitLog,
  more: { settleMs?: number; onFault?: (cause: unknown) => void } = {},
): Promise<Sequencer<Account, Order, Happened>> {
  const fail = (cause: unknown): never => {
    throw cause;
  };
  const options = {
    log,
    rules,
    clock: instantClock(),
    ids: counterIds(++writers),
    cluster: 'lab',
    actor: 'test',
  };
  return unwrap(await openSequencer({ ...options, onFault: fail, ...more }));
}

const request = (commandId: string, command: Order) => ({ commandId, actor: 'ann', command });
const pay = (commandId: string, amount: number) => request(commandId, { kind: 'pay', amount });

async function everything(log: CommitLog): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for await (const batch of log.read(1)) all.push(...batch);
  return all;
}

async function replayed(log: CommitLog) {
  const result = replay(await everything(log), rules, accountCodec);
  if (!result.ok) throw new Error(result.error.problem.message);
  return result.value;
}

const revisionOf = (answer: Result<Accepted<Happened>>) =>
  answer.ok ? answer.value.revision : answer.error.code;

describe('sequencer', () => {
  it('opens an empty log with a lineage as revision 1', async () => {
    const sequencer = await open(new InMemoryLog());
    expect(sequencer.head).toMatchObject({ seq: 1, revision: 1, schemaLevel: 1 });
    expect(sequencer.head.lineage).toMatch(/^[0-9a-f-]{36}$/);
    expect(sequencer.phase).toBe('ready');
  });

  it('decides on the state that runs ahead, and answers in order', async () => {
    const log = new InMemoryLog();
    const sequencer = await open(log);
    const answers = await Promise.all([
      sequencer.submit(pay('a', 5)),
      sequencer.submit(pay('b', -5)),
      sequencer.submit(pay('c', -1)),
      sequencer.submit(request('d', { kind: 'nothing' })),
    ]);
    expect(answers.map(revisionOf)).toEqual([2, 3, 'invalid', 3]);
    expect((await replayed(log)).state.balance).toBe(0);
    expect(sequencer.head.revision).toBe(3);
  });

  it('answers a rejection only when what it rests on is stored', async () => {
    const log = new FaultyLog(new InMemoryLog());
    const sequencer = await open(log);
    await sequencer.submit(pay('a', 5));
    let release = (): void => undefined;
    log.gate = new Promise((resolve) => (release = resolve));
    const order: string[] = [];
    const spent = sequencer.submit(pay('b', -5)).then(() => order.push('b'));
    const refused = sequencer.submit(pay('c', -1)).then((answer) => order.push(`c ${revisionOf(answer)}`));
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    release();
    await Promise.all([spent, refused]);
    expect(order).toEqual(['b', 'c invalid']);
  });

  it('gives a repeated id the first answer: accepted, rejected, without events, under way', async () => {
    const log = new InMemoryLog();
    const sequencer = await open(log);
    const [first, joined] = await Promise.all([sequencer.submit(pay('a', 5)), sequencer.submit(pay('a', 5))]);
    const events = [{ type: 'Paid', amount: 5 }];
    expect(first).toMatchObject({ value: { revision: 2, repeated: false, events } });
    expect(joined).toMatchObject({ value: { revision: 2, repeated: true, events } });
    const refused = await sequencer.submit(pay('b', -9));
    await sequencer.submit(request('c', { kind: 'nothing' }));
    await sequencer.submit(pay('d', 100));
    expect(await sequencer.submit(pay('a', 5))).toMatchObject({
      value: { revision: 2, repeated: true, events },
    });
    expect(await sequencer.submit(pay('b', -9))).toEqual(refused);
    expect(await sequencer.submit(request('c', { kind: 'nothing' }))).toMatchObject({
      value: { revision: 2 },
    });
    expect(await log.last()).toBe(3);
  });

  it('decides again what was refused for now only', async () => {
    const sequencer = await open(new InMemoryLog());
    expect(await sequencer.submit(pay('a', -9_999))).toMatchObject({ error: { code: 'unavailable' } });
    await sequencer.submit(pay('b', 5));
    expect(await sequencer.submit(pay('a', -9_999))).toMatchObject({ ok: true });
  });

  it('knows the ids of accepted commands after a new start', async () => {
    const log = new InMemoryLog();
    await (await open(log)).submit(pay('a', 5));
    const next = await open(log);
    expect(await next.submit(pay('a', 5))).toMatchObject({ value: { revision: 2, repeated: true } });
    expect(next.state.balance).toBe(5);
  });

  it('refuses ids and texts that it would not write', async () => {
    const sequencer = await open(new InMemoryLog());
    expect(await sequencer.submit(pay('a\r\nX: y', 5))).toMatchObject({
      error: { details: [{ field: 'commandId' }] },
    });
    const unnamed = { ...pay('a', 5), actor: '' };
    expect(await sequencer.submit(unnamed)).toMatchObject({ error: { details: [{ field: 'actor' }] } });
  });

  it('outlives a defect in the rules', async () => {
    const faults: unknown[] = [];
    const sequencer = await open(new InMemoryLog(), { onFault: (cause) => faults.push(cause) });
    expect(await sequencer.submit(pay('a', 13))).toMatchObject({ error: { code: 'internal' } });
    expect(faults).toEqual([new Error('a defect')]);
    expect(await sequencer.submit(pay('b', 1))).toMatchObject({ ok: true });
  });

  it.each<Fault[]>([['lost-ack'], ['lost'], ['refused'], ['lost', 'lost-ack', 'refused', 'lost-ack']])(
    'clears up appends without an answer: %s',
    async (...faults) => {
      const log = new FaultyLog(new InMemoryLog());
      const sequencer = await open(log);
      log.faults = faults;
      const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => sequencer.submit(pay(`c${n}`, n))));
      expect(answers.map(revisionOf)).toEqual([2, 3, 4, 5, 6]);
      expect(sequencer.phase).toBe('ready');
      expect((await replayed(log)).state).toEqual(sequencer.state);
    },
  );

  it('says unknown when the log stays away, and refuses at once meanwhile and after', async () => {
    const log = new FaultyLog(new InMemoryLog());
    const sequencer = await open(log, { settleMs: 1000 });
    log.faults = Array<Fault>(100).fill('lost');
    const under = sequencer.submit(pay('a', 5));
    await new Promise(setImmediate);
    expect(sequencer.phase).toBe('settling');
    expect(await sequencer.submit(pay('b', 5))).toMatchObject({ error: { code: 'unavailable' } });
    expect(await under).toMatchObject({ error: { code: 'unknown', retry: true } });
    expect(sequencer.phase).toBe('ended');
    expect(await sequencer.submit(pay('c', 5))).toMatchObject({ error: { code: 'unavailable' } });
    expect(await sequencer.ended).toMatchObject({ message: 'the log does not answer' });
  });

  it('is fenced by another writer, and nothing of its pending commands is done', async () => {
    const log = new InMemoryLog();
    const old = await open(log);
    const young = await open(log);
    await young.submit(pay('y', 7));
    const answers = await Promise.all([1, 2, 3].map((n) => old.submit(pay(`o${n}`, n))));
    expect(answers.map(revisionOf)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(old.phase).toBe('ended');
    expect(await young.submit(pay('z', 1))).toMatchObject({ ok: true });
    expect((await replayed(log)).state.balance).toBe(8);
  });

  it('tells listeners of each commit once, before the answer', async () => {
    const sequencer = await open(new InMemoryLog());
    const seen: unknown[] = [];
    sequencer.onCommit((commit, before, after) =>
      seen.push([commit.revision, before.balance, after.balance]),
    );
    await Promise.all([sequencer.submit(pay('a', 1)), sequencer.submit(pay('b', 2))]);
    expect(seen).toEqual([
      [2, 0, 1],
      [3, 1, 3],
    ]);
  });

  it('opens a new lineage that counts from 1 again', async () => {
    const log = new InMemoryLog();
    const sequencer = await open(log);
    await sequencer.submit(pay('a', 5));
    const before = sequencer.head.lineage;
    expect(await sequencer.openLineage('restored from a backup', 'ann')).toMatchObject({
      value: { revision: 1 },
    });
    expect(sequencer.head.lineage).not.toBe(before);
    expect(await sequencer.submit(pay('b', 5))).toMatchObject({ value: { revision: 2 } });
    expect((await replayed(log)).state.balance).toBe(10);
  });

  it('answers what is under way when closed, and takes no more', async () => {
    const sequencer = await open(new InMemoryLog());
    const under = sequencer.submit(pay('a', 5));
    await sequencer.close();
    expect(await under).toMatchObject({ ok: true });
    expect(await sequencer.submit(pay('b', 5))).toMatchObject({ error: { code: 'unavailable' } });
  });
});

describe('commits larger than a message', () => {
  const text = 'ä"\u{1f600}\n'.repeat(5000);

  it('go in chunks and take effect as one', async () => {
    const log = new InMemoryLog(16_384);
    const sequencer = await open(log);
    const answer = await sequencer.submit(request('a', { kind: 'note', text }));
    expect(answer).toMatchObject({ value: { revision: 2 } });
    expect(await sequencer.submit(pay('b', 1))).toMatchObject({ value: { revision: 3 } });
    expect(await log.last()).toBeGreaterThan(4);
    expect((await replayed(log)).state).toEqual({ balance: 1, notes: [text] });
    const next = await open(log);
    const again = await next.submit(request('a', { kind: 'note', text }));
    expect(again).toMatchObject({ value: { revision: 2, events: [{ type: 'Noted', text }] } });
  });

  it('are dropped by an event when their end never came', async () => {
    const inner = new InMemoryLog(16_384);
    const log = new FaultyLog(inner);
    const sequencer = await open(log, { settleMs: 0 });
    log.faults = ['none', 'none', ...Array<Fault>(100).fill('lost')];
    expect(await sequencer.submit(request('a', { kind: 'note', text }))).toMatchObject({ ok: false });
    const next = await open(inner);
    expect(next.head.revision).toBe(2);
    expect(await next.submit(request('a', { kind: 'note', text }))).toMatchObject({ value: { revision: 3 } });
    expect((await replayed(inner)).state.notes).toEqual([text]);
  });
});

describe('sequencer, whatever happens', () => {
  const fault = fc.constantFrom<Fault>('none', 'none', 'slow', 'lost-ack', 'lost', 'refused');
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('pay' as const), amount: fc.integer({ min: -5, max: 5 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'nothing' as const }) },
    { weight: 1, arbitrary: fc.constant('take-over' as const) },
    { weight: 2, arbitrary: fc.constant('pause' as const) },
    { weight: 1, arbitrary: fc.constant('repeat' as const) },
  );

  // The second is stored at once, the first in fact too, and the log does not answer long enough to say so.
  const twoPaid: Extract<Order, { kind: 'pay' }>[] = [
    { kind: 'pay', amount: 0 },
    { kind: 'pay', amount: 0 },
  ];
  const storedBehindLostAck: Fault[] = [
    'lost-ack',
    'none',
    'lost',
    'refused',
    'lost',
    'lost-ack',
    'refused',
    'lost-ack',
    'refused',
  ];

  it('acknowledges nothing that is lost or doubled, and the log replays to the live state', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.array(fault, { maxLength: 80 }),
        async (steps, faults) => {
          const inner = new InMemoryLog();
          const log = new FaultyLog(inner);
          log.faults = [];
          let leader = await open(log, { settleMs: 500 });
          log.faults = [...faults];
          const asked: { id: string; order: Order; answer: Promise<Result<Accepted<Happened>>> }[] = [];
          for (const [i, s] of steps.entries()) {
            if (s === 'pause') await new Promise(setImmediate);
            else if (s === 'take-over' || leader.phase === 'ended')
              leader = await open(inner, { settleMs: 500 });
            else if (s === 'repeat') {
              const last = asked.at(-1);
              if (last !== undefined)
                asked.push({ ...last, answer: leader.submit(request(last.id, last.order)) });
            } else asked.push({ id: `c${i}`, order: s, answer: leader.submit(request(`c${i}`, s)) });
          }
          const answers = await Promise.all(
            asked.map(async ({ id, answer }) => ({ id, answer: await answer })),
          );
          const stored = new Map<string, number>();
          const end = replay(await everything(inner), rules, undefined, (commit) => {
            expect(stored.has(commit.commandId)).toBe(false);
            stored.set(commit.commandId, commit.revision);
          });
          if (!end.ok) throw new Error(end.error.problem.message);
          for (const { id, answer } of answers) {
            if (answer.ok && answer.value.events.length > 0)
              expect(stored.get(id)).toBe(answer.value.revision);
            else if (!answer.ok && answer.error.code !== 'unknown')
              expect(noneOf(answers, id) && stored.has(id)).toBe(false);
          }
          if (leader.phase === 'ready') expect(end.value.state).toEqual(leader.state);
          const digest = (state: Account) => stateDigest(state, accountCodec, rules.hash);
          expect(digest((await open(inner)).state)).toBe(digest(end.value.state));
        },
      ),
      { numRuns: 300, examples: [[twoPaid, storedBehindLostAck]] },
    );
  });
});

describe('a log that was put back to an older copy', () => {
  it('takes nothing of one who slept meanwhile, though it has grown to the length that this one knew', async () => {
    const log = new FaultyLog(new InMemoryLog());
    const asleep = await open(log);
    await asleep.submit(pay('a', 1));
    await asleep.submit(pay('b', 1));
    log.inner = await copyOf(log, 2);
    const other = await open(log.inner);
    expect([await log.last(), other.head.seq]).toEqual([3, asleep.head.seq]);
    expect(await asleep.submit(pay('c', 1))).toMatchObject({ error: { code: 'unavailable' } });
    expect(asleep.phase).toBe('ended');
    expect(await other.submit(pay('d', 1))).toMatchObject({ ok: true });
    expect((await replayed(log)).state.balance).toBe(2);
  });

  it('is not gone on with where it ended, nor taken for it, while its answers do not come', async () => {
    const log = new FaultyLog(new InMemoryLog());
    const first = await open(log);
    await first.submit(pay('a', 1));
    log.faults = ['refused', 'lost'];
    const asked = first.submit(pay('b', 1));
    log.inner = await copyOf(log, 1);
    await open(log.inner);
    expect(await asked).toMatchObject({ ok: false });
    expect((await replayed(log)).state.balance).toBe(0);
  });
});

describe('a server that forgot the id of its last message', () => {
  it('is asked what stands there, and gone on with if that is ours', async () => {
    const forgetful = new InMemoryLog();
    const log = new FaultyLog(forgetful);
    const sequencer = await open(log);
    await sequencer.submit(pay('a', 1));
    log.inner = await copyOf(log, 2);
    expect(await sequencer.submit(pay('b', 1))).toMatchObject({ ok: true, value: { revision: 3 } });
    expect((await replayed(log)).state.balance).toBe(2);
  });
});

/** No other answer to the same id says that it was, or may have been, done. */
function noneOf(answers: readonly { id: string; answer: Result<Accepted<Happened>> }[], id: string): boolean {
  return answers.every((a) => a.id !== id || (!a.answer.ok && a.answer.error.code !== 'unknown'));
}
