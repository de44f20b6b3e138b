import { describe, expect, it } from '@jest/globals';
import { systemClock, unwrap, type Revision } from '#kernel';
import { type CommitLog } from './commit-log.js';
import {
  accountCodec,
  copyOf,
  counterIds,
  FaultyLog,
  instantClock,
  rules,
  sha256,
  type Account,
  type Happened,
} from './fixtures.js';
import { Follower } from './follower.js';
import { InMemoryLog } from './in-memory-log.js';
import { openSequencer } from './open-sequencer.js';
import { repudiate } from './repudiate.js';
import { sha256Hasher } from './jetstream/hash.js';
import { stateDigest, toSnapshot, type SnapshotRules } from './snapshot.js';

let writers = 100;
const fail = (cause: unknown): never => {
  throw cause;
};

async function lead(log: CommitLog) {
  const base = {
    log,
    rules,
    clock: instantClock(),
    ids: counterIds(++writers),
    cluster: 'lab',
    actor: 'test',
  };
  return unwrap(await openSequencer({ ...base, onFault: fail }));
}
const pay = (commandId: string, amount: number) => ({
  commandId,
  actor: 'ann',
  command: { kind: 'pay' as const, amount },
});
function follow(log: CommitLog, snapshots?: SnapshotRules<Account>, notices: string[] = []) {
  const more = snapshots === undefined ? {} : { snapshots };
  const notice = (text: string) => void notices.push(text);
  return new Follower<Account, Happened>({ log, rules, clock: systemClock, onFault: fail, notice, ...more });
}
const garbage = (text: string) => ({
  id: text,
  topic: 'commit' as const,
  bytes: new TextEncoder().encode(text),
});

describe('follower', () => {
  it('puts off what comes for as long as it may, and takes it in for who asks', async () => {
    const due: (() => void)[] = [];
    const clock = { ...systemClock, after: (_: number, fn: () => void) => (due.push(fn), () => undefined) };
    const log = new InMemoryLog();
    const leader = await lead(log);
    const follower = new Follower<Account, Happened>({ log, rules, clock, lagMs: 50, onFault: fail });
    await follower.start();
    const seen: number[] = [];
    follower.onCommit(({ revision }) => void seen.push(revision));
    await leader.submit(pay('a', 1));
    await leader.submit(pay('b', 1));
    const { revision } = leader.head;
    expect(seen).toEqual([]);
    expect(due).toHaveLength(1);
    due[0]?.();
    expect(seen).toEqual([revision - 1, revision]);
    await leader.submit(pay('c', 1));
    expect(follower.revision).toBe(revision);
    follower.settle();
    expect(follower.revision).toBe(revision + 1);
    await leader.submit(pay('d', 1));
    await follower.waitFor(revision + 2);
    expect(seen).toHaveLength(4);
    await follower.close();
  });

  it('holds what was there, then what comes, and tells of the latter', async () => {
    const log = new InMemoryLog();
    const leader = await lead(log);
    await leader.submit(pay('a', 1));
    const follower = follow(log);
    const seen: unknown[] = [];
    follower.onCommit((commit, before, after) =>
      seen.push([commit.commandId, before.balance, after.balance]),
    );
    await follower.start();
    expect([follower.status, follower.revision, follower.state.balance]).toEqual(['live', 2, 1]);
    const arrived = follower.waitFor(3);
    await leader.submit(pay('b', 2));
    await arrived;
    expect(seen).toEqual([['b', 1, 3]]);
    expect(follower.lineage).toBe(leader.head.lineage);
    await follower.close();
  });

  it('can hand its state to a sequencer of the same process', async () => {
    const log = new InMemoryLog();
    await (await lead(log)).submit(pay('a', 1));
    const follower = follow(log);
    await follower.start();
    const from = follower.capture()!;
    const base = {
      log,
      rules,
      clock: instantClock(),
      ids: counterIds(++writers),
      cluster: 'lab',
      actor: 'test',
    };
    const next = unwrap(await openSequencer({ ...base, onFault: fail, from }));
    expect(await next.submit(pay('a', 1))).toMatchObject({ value: { revision: 2, repeated: true } });
    expect(await next.submit(pay('b', -1))).toMatchObject({ value: { revision: 4 } });
    await follower.waitFor(4);
    expect(follower.state.balance).toBe(0);
    await follower.close();
  });

  it('hands over no state of a log that is no more: a new lineage is opened, and says up to where it was known', async () => {
    const log = new InMemoryLog();
    const first = await lead(log);
    await first.submit(pay('a', 1));
    const copy = await copyOf(log, 2);
    await first.submit(pay('b', 1));
    const follower = follow(log);
    await follower.start();
    const next = unwrap(
      await openSequencer({
        log: copy,
        rules,
        clock: instantClock(),
        ids: counterIds(++writers),
        cluster: 'lab',
        actor: 'test',
        onFault: fail,
        from: follower.capture()!,
      }),
    );
    expect(next.state.balance).toBe(1);
    expect(next.head.lineage).not.toBe(first.head.lineage);
    expect(next.head.revision).toBe(1);
    await follower.close();
  });

  it('is gone on from in another lineage whichever of several histories this one is an older copy of', async () => {
    const log = new InMemoryLog();
    const first = await lead(log);
    await first.submit(pay('a', 1));
    const copy = await copyOf(log, 2);
    await first.submit(pay('b', 1));
    const clock = instantClock();
    clock.time -= 60_000;
    const base = { rules, clock, cluster: 'lab', actor: 'test', onFault: fail };
    const before = unwrap(
      await openSequencer({ ...base, log: new InMemoryLog(), ids: counterIds(++writers) }),
    );
    await before.submit(pay('x', 1));
    const next = unwrap(
      await openSequencer({
        ...base,
        log: copy,
        ids: counterIds(++writers),
        from: before.capture(),
        lost: first.head,
      }),
    );
    expect(next.state.balance).toBe(1);
    expect(next.head.lineage).not.toBe(first.head.lineage);
  });

  it('reads a log anew that came back older, also when that does not answer at first', async () => {
    const log = new FaultyLog(new InMemoryLog());
    const leader = await lead(log);
    await leader.submit(pay('a', 1));
    await leader.submit(pay('b', 1));
    let again = (): void => undefined;
    const follow = log.follow.bind(log);
    log.follow = (from, handler, onEnd, onAgain) => {
      again = onAgain ?? again;
      return follow(from, handler, onEnd, onAgain);
    };
    const faults: unknown[] = [];
    const onFault = (cause: unknown) => void faults.push(cause);
    const follower = new Follower<Account, Happened>({ log, rules, clock: instantClock(), onFault });
    await follower.start();
    expect(follower.revision).toBe(3);
    const reloaded = new Promise<void>((resolve) => follower.onReload(resolve));
    log.inner = await copyOf(log, 2);
    // It says that it is shorter, and then nothing for a while.
    log.silentAfter = { answers: 1, silent: 3 };
    again();
    await reloaded;
    expect([follower.status, follower.revision, faults]).toEqual(['live', 2, []]);
    await follower.close();
  });

  it('remembers what it read last of a log that came back older, not what a snapshot knew of one before', async () => {
    const log = new FaultyLog(new InMemoryLog());
    const leader = await lead(log);
    await leader.submit(pay('a', 1));
    const other = new InMemoryLog();
    const clock = instantClock();
    clock.time -= 60_000;
    const before = unwrap(
      await openSequencer({
        log: other,
        rules,
        clock,
        ids: counterIds(++writers),
        cluster: 'lab',
        actor: 'test',
        onFault: fail,
      }),
    );
    await before.submit(pay('x', 1));
    const source = { codeVersion: '1', state: accountCodec, hasher: sha256Hasher };
    const { head, lines } = toSnapshot(before.capture(), source);
    const kept = { seq: head.seq, lines: [...lines] };
    const load = (_version: string, atMost = Infinity) =>
      Promise.resolve(kept.seq <= atMost ? kept : undefined);
    const snapshots: SnapshotRules<Account> = { ...source, store: { load } };
    let again = (): void => undefined;
    const following = log.follow.bind(log);
    log.follow = (from, handler, onEnd, onAgain) => {
      again = onAgain ?? again;
      return following(from, handler, onEnd, onAgain);
    };
    const follower = follow(log, snapshots);
    await follower.start();
    const reloaded = new Promise<void>((resolve) => follower.onReload(resolve));
    log.inner = await copyOf(log, 1);
    again();
    await reloaded;
    expect(follower.lost).toMatchObject({ lineage: leader.head.lineage, revision: 2 });
    await follower.close();
  });

  it('fails who waits in vain: too late, closed', async () => {
    const follower = follow(new InMemoryLog());
    await follower.start();
    await expect(follower.waitFor(5, { timeoutMs: 1 })).rejects.toThrow('did not arrive');
    const waiting = follower.waitFor(5);
    await Promise.all([expect(waiting).rejects.toThrow('closed'), follower.close()]);
  });

  it('stops at what it can not read, and goes on once that is repudiated', async () => {
    const log = new InMemoryLog();
    const leader = await lead(log);
    await leader.submit(pay('a', 1));
    const follower = follow(log);
    await follower.start();
    await log.append(garbage('not an envelope'), 2);
    await new Promise(setImmediate);
    expect(follower.status).toBe('poisoned');
    expect(follower.poison).toMatchObject({ seq: 3, revision: 3 });
    await expect(follower.waitFor(4)).rejects.toThrow("revision 3 of the log can't be read");
    const base = {
      log,
      rules,
      clock: instantClock(),
      ids: counterIds(++writers),
      cluster: 'lab',
      actor: 'test',
    };
    expect(await openSequencer({ ...base, onFault: fail })).toMatchObject({ ok: false });

    const { hash, revision } = follower.poison!;
    const how = { log, hash: sha256, ids: counterIds(++writers), cluster: 'lab', actor: 'ann', now: 0 };
    const wrong = await repudiate({ revision, hash: 'f'.repeat(64), reason: 'guess' }, how);
    expect(wrong).toMatchObject({ ok: false, error: { details: [{ field: 'hash' }] } });
    expect(await repudiate({ revision, hash, reason: 'written by a stray program' }, how)).toEqual({
      ok: true,
      value: { revision: 4 },
    });
    await new Promise(setImmediate);
    await follower.waitFor(4);
    expect(follower.status).toBe('live');
    const next = await lead(log);
    expect(await next.submit(pay('b', 2))).toMatchObject({ ok: true });
    await follower.waitFor(next.head.revision);
    expect(follower.state.balance).toBe(3);
    await follower.close();
  });

  it('takes back a commit that it could read when that is repudiated', async () => {
    const log = new InMemoryLog();
    const leader = await lead(log);
    await leader.submit(pay('a', 1));
    await leader.submit(pay('b', 10));
    const follower = follow(log);
    await follower.start();
    const target = { revision: 3 as Revision, hash: leader.head.hash, reason: 'others can not read it' };
    const how = { log, hash: sha256, ids: counterIds(++writers), cluster: 'lab', actor: 'ann', now: 0 };
    unwrap(await repudiate(target, how));
    await follower.waitFor(4);
    expect(follower.state.balance).toBe(1);
    expect(await leader.submit(pay('c', 1))).toMatchObject({ error: { code: 'unavailable' } });
    await follower.close();
  });
});

describe('snapshots', () => {
  interface Kept {
    seq: number;
    lines: string[];
  }

  async function logAndSnapshot(): Promise<[InMemoryLog, SnapshotRules<Account>, Kept]> {
    const log = new InMemoryLog();
    const leader = await lead(log);
    await leader.submit(pay('a', 5));
    await leader.submit(pay('refused', -100));
    const kept: Kept = { seq: 0, lines: [] };
    const snapshots: SnapshotRules<Account> = {
      store: {
        load: (_version, atMost = Infinity) => Promise.resolve(kept.seq <= atMost ? kept : undefined),
      },
      codeVersion: '1',
      state: accountCodec,
      hasher: sha256Hasher,
    };
    const { head, lines } = toSnapshot(leader.capture(), snapshots);
    Object.assign(kept, { seq: head.seq, lines: [...lines] });
    await leader.submit(pay('b', 2));
    return [log, snapshots, kept];
  }

  it('save reading what is in them, and keep answers that the log does not', async () => {
    const [log, snapshots] = await logAndSnapshot();
    const notices: string[] = [];
    const follower = follow(log, snapshots, notices);
    await follower.start();
    expect(follower.state.balance).toBe(7);
    expect(notices).toEqual([]);
    const known = follower.capture()!.commands;
    expect(known.find('refused')).toMatchObject({ rejection: { code: 'invalid' } });
    expect(known.find('a')).toMatchObject({ revision: 2 });
    await follower.close();
  });

  it('have the digest of the whole state', async () => {
    const [log, , kept] = await logAndSnapshot();
    const follower = follow(log);
    await follower.start();
    const digest = stateDigest({ ...follower.state, balance: 5 }, accountCodec, sha256);
    expect(kept.lines.at(-1)).toBe(JSON.stringify(['end', digest]));
    await follower.close();
  });

  const header = (
    kept: Kept,
    change: (h: { codeVersion: string; head: { hash: string; seq: number } }) => void,
  ): void => {
    const parsed = JSON.parse(kept.lines[0]!) as Parameters<typeof change>[0];
    change(parsed);
    kept.lines[0] = JSON.stringify(parsed);
  };
  const faults: [string, (kept: Kept) => void, string][] = [
    [
      'its state was changed',
      (k) => (k.lines = k.lines.map((l) => l.replace('"balance",5', '"balance",9'))),
      'another digest',
    ],
    ['a line is missing', (k) => k.lines.splice(1, 1), 'another digest'],
    ['its end is missing', (k) => k.lines.pop(), 'is not whole'],
    ['a line is cut off', (k) => k.lines.splice(1, 1, k.lines[1]!.slice(0, -2)), "can't be read"],
    [
      'a line was laid out anew',
      (k) => k.lines.splice(1, 1, k.lines[1]!.replace(',', ', ')),
      "can't be read",
    ],
    ['it is of another form', (k) => k.lines.splice(0, 1, '{}'), 'is not of the form'],
    ['it is of another log', (k) => header(k, (h) => (h.head.hash = 'f'.repeat(64))), 'not of this log'],
    ['it is ahead of the log', (k) => header(k, (h) => (h.head.seq = 99)), 'not of this log'],
    ['it is of another version', (k) => header(k, (h) => (h.codeVersion = '0')), 'another version'],
  ];
  it.each(faults)('are not used when %s', async (_name, change, text) => {
    const [log, snapshots, kept] = await logAndSnapshot();
    change(kept);
    const notices: string[] = [];
    const follower = follow(log, snapshots, notices);
    await follower.start();
    expect(follower.state.balance).toBe(7);
    expect(notices).toEqual([expect.stringContaining(text)]);
    await follower.close();
  });
});
