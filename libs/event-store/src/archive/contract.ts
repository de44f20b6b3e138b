import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap, type Clock, type Revision } from '#kernel';
import { type StoredMessage, type TrimmableLog } from '../commit-log.js';
import {
  accountCodec,
  counterIds,
  instantClock,
  rules,
  type Account,
  type Happened,
  type Order,
} from '../fixtures.js';
import { Follower } from '../follower.js';
import { sha256, sha256Hasher } from '../jetstream/hash.js';
import { openSequencer } from '../open-sequencer.js';
import { replay } from '../replay.js';
import { repudiate } from '../repudiate.js';
import { type Sequencer } from '../sequencer.js';
import { stateDigest, toSnapshot, type SnapshotSource } from '../snapshot.js';
import { Archive } from './archive.js';
import { ArchivedLog } from './archived-log.js';
import { replayAll, seal, trim } from './seal.js';
import { type ArchiveStore } from './segment.js';

/** An empty log and an empty archive, and what may befall an archive. */
export interface ArchiveUnderTest {
  readonly log: TrimmableLog;
  readonly store: ArchiveStore;
  /** Another log, with an archive of its own. */
  other(): Promise<ArchiveUnderTest>;
  /** Changes one byte of the messages of a segment, or of its manifest; or takes the messages away. */
  damage(name: string, what: 'messages' | 'manifest' | 'missing' | 'snapshot'): Promise<void>;
  close(): Promise<void>;
}

const snapshots = { codeVersion: '1', state: accountCodec, hasher: sha256Hasher };
const fail = (cause: unknown): never => {
  throw cause;
};
let writers = 1_000;

/** Each look at it is a second later: commits have times of their own. */
function countingClock(): Clock {
  const clock = instantClock();
  return {
    now: () => (clock.time += 1_000),
    monotonic: () => clock.monotonic(),
    after: (ms, fn) => clock.after(ms, fn),
  };
}

async function readAll(log: Pick<TrimmableLog, 'read'>): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for await (const batch of log.read(1)) all.push(...batch);
  return all;
}

const plain = (messages: readonly StoredMessage[]) =>
  messages.map(({ seq, topic, bytes }) => [seq, topic, sha256(bytes)]);

/** What every log and archive store must do together. */
export function describeArchive(name: string, open: () => Promise<ArchiveUnderTest>, numRuns = 20): void {
  describe(`${name}: archive`, () => {
    let under: ArchiveUnderTest;
    let log: TrimmableLog;
    let archive: Archive;
    let whole: ArchivedLog;
    let leader: Sequencer<Account, Order, Happened>;

    beforeEach(async () => {
      under = await open();
      log = under.log;
      archive = new Archive(under.store, sha256);
      whole = new ArchivedLog(log, archive);
      leader = await lead(log);
    });
    afterEach(() => under.close());

    async function lead(on: TrimmableLog) {
      const ids = counterIds(++writers);
      const base = {
        log: on,
        rules,
        clock: countingClock(),
        ids,
        cluster: 'lab',
        actor: 'test',
        maxCommitLength: 1e6,
      };
      return unwrap(await openSequencer({ ...base, onFault: fail }));
    }
    const pay = (amount: number, on = leader) =>
      on.submit({ commandId: `c${++writers}`, actor: 'ann', command: { kind: 'pay', amount } });
    async function some(count: number, on = leader): Promise<void> {
      for (let i = 0; i < count; i++) unwrap(await pay(100 + i, on));
    }
    /** Up to a revision: commits are a second apart. */
    async function sealTo(revision: number, of: { log: TrimmableLog; archive: Archive } = { log, archive }) {
      let before = 0;
      for (const { bytes } of await readAll(new ArchivedLog(of.log, of.archive))) {
        if (!text(bytes).startsWith('{')) continue;
        const {
          revision: r,
          time,
          type,
        } = JSON.parse(text(bytes)) as Record<'time' | 'type', string> & { revision: number };
        if (r === revision && type.includes('commit')) before = Date.parse(time) + 1;
      }
      return seal({
        ...of,
        rules,
        snapshots,
        before,
        clock: { now: () => 0 },
        by: 'ann',
        reason: 'a year is over',
      });
    }
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    const digest = (state: Account): string => stateDigest(state, accountCodec, sha256);
    function digestOf(messages: readonly StoredMessage[]): string {
      const read = replay(messages, rules);
      if (!read.ok) throw new Error(read.error.problem.message);
      return digest(read.value.state);
    }
    const replayed = async (): Promise<string> => digest(unwrap(await replayAll(log, archive, rules)).state);
    function follow(on: TrimmableLog | ArchivedLog, store?: SnapshotSource, notices: string[] = []) {
      const more = store === undefined ? {} : { snapshots: { ...snapshots, store } };
      return new Follower({
        log: on,
        rules,
        clock: instantClock(),
        onFault: fail,
        notice: (what) => notices.push(what),
        ...more,
      });
    }

    it('keeps what was taken out: the whole reads as before, byte by byte, and comes to the same state', async () => {
      await some(40);
      const before = await readAll(log);
      const segment = unwrap(await sealTo(20));
      expect(segment).toMatchObject({ before: { seq: 0 }, last: { revision: 20 }, messages: 20 });
      expect((await log.begins()).first).toBe(1);
      expect(unwrap(await trim(log, archive, snapshots))).toMatchObject({ messages: 20 });

      expect(await log.begins()).toEqual({ first: 21, archive: segment.name });
      expect(plain(await readAll(whole))).toEqual(plain(before));
      expect(await whole.begins()).toEqual({ first: 1 });
      expect(await replayed()).toBe(digest(leader.state));
      expect(digestOf(before)).toBe(await replayed());
      await some(3);
      expect(await replayed()).toBe(digest(leader.state));
    });

    it('seals one segment behind the other, and takes them out together', async () => {
      await some(60);
      for (const revision of [10, 30, 50]) unwrap(await sealTo(revision));
      const segments = await archive.segments();
      expect(segments.map((s) => s.last.revision)).toEqual([10, 30, 50]);
      expect(segments[1]!.before).toEqual(segments[0]!.last);
      unwrap(await trim(log, archive, snapshots));
      expect((await log.begins()).first).toBe(51);
      expect(unwrap(await trim(log, archive, snapshots))).toEqual({ messages: 0, segments: [] });
      unwrap(await sealTo(55));
      expect(await replayed()).toBe(digest(leader.state));
    });

    it('says where it is to whoever asks for what was taken out, and answers from the rest', async () => {
      await some(20);
      const { name: sealed } = unwrap(await sealTo(10));
      unwrap(await trim(log, archive, snapshots));
      await expect(readAll(log)).rejects.toThrow(`it is in ${sealed}`);
      const rest: number[] = [];
      for await (const batch of log.read(11)) rest.push(...batch.map((m) => m.seq));
      expect(rest).toEqual(Array.from({ length: 11 }, (_, i) => i + 11));
      const ended = await new Promise((resolve) => log.follow(5, () => undefined, resolve));
      expect(String(ended)).toContain(sealed);
      const follower = follow(log);
      await expect(follower.start()).rejects.toThrow(sealed);
    });

    it('lets readers begin at its snapshot, at one of theirs, or at the first message', async () => {
      await some(30);
      unwrap(await sealTo(20));
      const { head, lines } = toSnapshot(leader.capture(), snapshots);
      const own = { seq: head.seq, lines: [...lines] };
      await some(5);
      unwrap(await trim(log, archive, snapshots));
      const starts: [TrimmableLog | ArchivedLog, SnapshotSource | undefined][] = [
        [log, archive],
        [log, { load: () => Promise.resolve(own) }],
        [whole, undefined],
      ];
      for (const [on, store] of starts) {
        const follower = follow(on, store);
        await follower.start();
        expect(digest(follower.state)).toBe(digest(leader.state));
        await follower.close();
      }
    });

    it('does not take a snapshot from before it for a log that was lost', async () => {
      await some(5);
      const { head, lines } = toSnapshot(leader.capture(), snapshots);
      const old = { seq: head.seq, lines: [...lines] };
      await some(20);
      unwrap(await sealTo(20));
      unwrap(await trim(log, archive, snapshots));
      const notices: string[] = [];
      const store: SnapshotSource = {
        load: async (version, most = Infinity) => {
          const base = await archive.load(version, most);
          return base ?? (old.seq <= most ? old : undefined);
        },
      };
      const follower = follow(
        log,
        { load: (_, most = Infinity) => Promise.resolve(most < old.seq ? undefined : old) },
        notices,
      );
      await expect(follower.start()).rejects.toThrow('was archived');
      expect(notices).toEqual([expect.stringContaining('ends before what the log still holds')]);
      expect(follower.lost).toBeUndefined();
      const next = follow(log, store);
      await next.start();
      expect(next.lost).toBeUndefined();
      await next.close();
    });

    it('never seals the last message, nor what is not old enough, nor twice', async () => {
      await some(3);
      expect(
        await seal({
          log,
          archive,
          rules,
          snapshots,
          before: 0,
          clock: { now: () => 0 },
          by: 'a',
          reason: '',
        }),
      ).toMatchObject({
        ok: false,
        error: { code: 'refused', message: expect.stringContaining('nothing to seal') },
      });
      expect(unwrap(await sealTo(4)).last.revision).toBe(3);
      expect(await sealTo(4)).toMatchObject({ ok: false, error: { code: 'refused' } });
    });

    it('keeps chunks with their commit, and what was repudiated as it was', async () => {
      await some(3);
      const note = 'x'.repeat(log.maxBytes * 2);
      const noted = leader.submit({ commandId: 'note', actor: 'ann', command: { kind: 'note', text: note } });
      const { revision } = unwrap(await noted);
      await leader.close();
      const bytes = Uint8Array.from([0, 255, 10, 13, 123]);
      unwrap((await log.append({ id: 'stray', topic: 'commit', bytes }, leader.head.seq)) as never);
      const how = {
        log,
        hash: sha256,
        ids: counterIds(++writers),
        cluster: 'lab',
        actor: 'ann',
        now: leader.head.time,
      };
      const target = {
        revision: (revision + 1) as Revision,
        hash: sha256(bytes),
        reason: 'a stray program wrote it',
      };
      const repudiated = unwrap(await repudiate(target, how));
      leader = await lead(log);
      await some(5);
      const before = await readAll(log);
      unwrap(await sealTo(repudiated.revision));
      unwrap(await trim(log, archive, snapshots));
      expect(plain(await readAll(whole))).toEqual(plain(before));
      expect(await replayed()).toBe(digest(leader.state));
    });

    const damages = [
      ['messages', 'is damaged'],
      ['missing', 'is missing'],
      ['manifest', 'is damaged'],
    ] as const;
    it.each(damages)(
      'is refused when its %s are not as they were: nothing is taken out',
      async (what, why) => {
        await some(20);
        const { name: sealed } = unwrap(await sealTo(10));
        await under.damage(sealed, what);
        const refused = await trim(log, archive, snapshots);
        expect(refused).toMatchObject({ ok: false, error: { message: expect.stringContaining(why) } });
        expect(refused).toMatchObject({ ok: false, error: { message: expect.stringContaining(sealed) } });
        expect((await log.begins()).first).toBe(1);
      },
    );

    it('takes nothing out without a snapshot to begin at', async () => {
      await some(20);
      const { name: sealed } = unwrap(await sealTo(10));
      await under.damage(sealed, 'snapshot');
      expect(await trim(log, archive, snapshots)).toMatchObject({ ok: false });
      const newer = { ...snapshots, codeVersion: '2' };
      expect(await trim(log, archive, newer)).toMatchObject({ ok: false, error: { code: 'refused' } });
      expect((await log.begins()).first).toBe(1);
    });

    it('is named with the reason when it was damaged after it was needed', async () => {
      await some(20);
      const { name: sealed } = unwrap(await sealTo(10));
      unwrap(await trim(log, archive, snapshots));
      await under.damage(sealed, 'messages');
      await expect(readAll(whole)).rejects.toThrow(sealed);
    });

    it("refuses another log's archive, and says which", async () => {
      const foreign = await under.other();
      const theirs = new Archive(foreign.store, sha256);
      const stranger = await lead(foreign.log);
      await some(20, stranger);
      await some(20);
      unwrap(await sealTo(10));
      const strange = unwrap(await sealTo(10, { log: foreign.log, archive: theirs }));
      expect(await trim(log, theirs, snapshots)).toMatchObject({
        ok: false,
        error: { message: expect.stringContaining(`${strange.name} is of another log`) },
      });
      expect(await sealTo(15, { log, archive: theirs })).toMatchObject({
        ok: false,
        error: { message: expect.stringContaining('another one') },
      });
      unwrap(await trim(log, archive, snapshots));
      await expect(readAll(new ArchivedLog(log, theirs))).rejects.toThrow(
        `${strange.name} is of another log`,
      );
      await stranger.close();
      await foreign.close();
    });

    it('any log comes to the same state, wherever it is cut', async () => {
      const command = fc.oneof(
        fc.integer({ min: 100, max: 500 }),
        fc.constant('note'),
        fc.integer({ min: -300, max: -1 }),
      );
      const runs = fc.asyncProperty(
        fc.array(command, { minLength: 3, maxLength: 40 }),
        fc.array(fc.nat(45), { minLength: 1, maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        async (orders, cuts, trims) => {
          const fresh = await under.other();
          const own = new Archive(fresh.store, sha256);
          const writer = await lead(fresh.log);
          for (const [i, order] of orders.entries()) {
            const note = { kind: 'note', text: `${i}` } as const;
            const it = order === 'note' ? note : ({ kind: 'pay', amount: order } as const);
            await writer.submit({ commandId: `c${i}`, actor: 'ann', command: it });
          }
          const uncut = await readAll(fresh.log);
          for (const [i, cut] of cuts.entries()) {
            await sealTo(cut, { log: fresh.log, archive: own });
            if (trims[i] === true) unwrap(await trim(fresh.log, own, snapshots));
          }
          expect(plain(await readAll(new ArchivedLog(fresh.log, own)))).toEqual(plain(uncut));
          const state = unwrap(await replayAll(fresh.log, own, rules)).state;
          expect(digest(state)).toBe(digestOf(uncut));
          expect(digest(state)).toBe(digest(writer.state));
          await fresh.close();
        },
      );
      await fc.assert(runs, { numRuns });
    });
  });
}
