import { describe, expect, it } from '@jest/globals';
import { problem, ok, type HostName } from '#kernel';
import { sealDocument, type Document, type Signer, type Verifier } from '#contracts';
import { VirtualClock } from '../simulation/virtual-clock.js';
import { lineageOf } from '../simulation/world.js';
import { fromDisk, toDisk } from './disk.js';
import { DocumentSync } from './document-sync.js';
import { type Snapshot } from './snapshot.js';
import { type DocumentSource, type Received, type SourceListener } from './source.js';

const signer: Signer = { kid: 'k', sign: (body) => `s${body.length}` };
const verifier: Verifier = { verify: (body, sig) => sig === `s${body.length}` };
const lineage = lineageOf(1);
const host = 'a' as HostName;

const doc = (key: string, revision: number, rest: object) =>
  ({ schema: 1, key, lineage, revision, ...rest }) as unknown as Document;
const hostDoc = (revision: number, ports: string[], groups: string[]) =>
  doc('h.a.host', revision, {
    type: 'host',
    host,
    switches: [],
    ports,
    groups,
    managementPath: null,
    maintenance: false,
    foreignFlows: 'report',
    acceptedFactSeq: null,
    migrations: [],
    confirm: null,
  });
const groupDoc = (name: string, revision: number) =>
  doc(`s.group.${name}`, revision, {
    type: 'group',
    group: name,
    switch: 's',
    policy: {},
    overridable: [],
    binding: 'static',
    partitionPolicy: 'keep',
    startOffline: false,
    phase: 'open',
  });
const portDoc = (id: string, revision: number, epoch: number) =>
  doc(`h.a.port.${id}`, revision, {
    type: 'port',
    port: id,
    host,
    switch: 's',
    group: 'g',
    epoch,
    role: 'active',
    connectee: { ifaceId: 'if-1', mac: '02:00:00:00:00:01', owner: 'vm', kind: 'vm' },
    override: {},
    minRevision: 1,
    handover: null,
    lease: null,
  });
const mark = (n: number, revision: number, lists: object = {}, life = 'one') =>
  doc('s.mark', revision, {
    type: 'mark',
    n,
    life,
    prev: n - 1,
    prevLife: n === 1 ? '' : life,
    shared: [],
    hosts: [],
    time: 0,
    ...lists,
  });

/** A stream of one writer without any loss but what the test does. */
class Stream implements DocumentSource {
  readonly standing = new Map<string, Received>();
  readonly asked: string[] = [];
  listener: SourceListener | null = null;
  seq = 0;
  up = true;
  /** Once, before the next answer. */
  whenAsked: () => void = () => undefined;

  /** What was written before arrives only now. */
  deliver(document: Document, seq: number): void {
    this.listener?.message(document.key, { bytes: sealDocument(document, signer), seq });
  }
  write(document: Document, heard = true): number {
    const received = { bytes: sealDocument(document, signer), seq: (this.seq += 1) };
    this.standing.set(document.key, received);
    if (heard) this.listener?.message(document.key, received);
    return received.seq;
  }
  tell(document: Document): void {
    this.listener?.note(sealDocument(document, signer));
  }
  subscribe(listener: SourceListener): () => void {
    this.listener = listener;
    return () => (this.listener = null);
  }
  followed: readonly string[] = [];
  follow(keys: ReadonlySet<string>): void {
    this.followed = [...keys].sort();
  }
  flush = () => Promise.resolve(ok(undefined));
  get = (key: string) => {
    this.asked.push(key);
    const first = this.whenAsked;
    this.whenAsked = () => undefined;
    first();
    if (!this.up) return Promise.resolve({ ok: false as const, error: problem('unavailable', 'down') });
    return Promise.resolve(ok(this.standing.get(key) ?? null));
  };
}

async function given(held?: Snapshot) {
  const clock = new VirtualClock();
  const stream = new Stream();
  stream.write(groupDoc('g', 1));
  stream.write(hostDoc(1, [], ['g']));
  stream.write(mark(1, 1));
  const seen: Snapshot[] = [];
  const troubles: string[] = [];
  const sync = new DocumentSync({
    host,
    source: stream,
    clock,
    verifier,
    ...(held === undefined ? {} : { held }),
    onSnapshot: (snapshot) => void seen.push(snapshot),
    onTrouble: ({ message }) => void troubles.push(message),
  });
  void sync.run();
  await clock.advance(0);
  stream.asked.length = 0;
  const last = () => seen.at(-1);
  return { clock, stream, seen, troubles, last };
}

const keys = (snapshot: Snapshot | undefined) => [...(snapshot?.documents.keys() ?? [])];

describe('document sync', () => {
  it('takes what it heard without asking, and counts a revision with its mark', async () => {
    const { clock, stream, last } = await given();
    const seq = stream.write(groupDoc('g', 2));
    await clock.advance(10);
    expect(last()?.received).toBe(1);
    stream.write(mark(2, 2, { shared: [['s.group.g', seq]] }));
    await clock.advance(10);
    expect(last()).toMatchObject({ received: 2, stale: false });
    expect(last()?.documents.get('s.group.g')?.revision).toBe(2);
    expect(stream.asked).toEqual([]);
  });

  it('fetches just what a mark shows to be missing', async () => {
    const { clock, stream, last } = await given();
    const seq = stream.write(groupDoc('g', 2), false);
    stream.write(groupDoc('other', 2), false);
    stream.write(
      mark(2, 2, {
        shared: [
          ['s.group.g', seq],
          ['s.group.other', seq + 1],
        ],
      }),
    );
    await clock.advance(10);
    expect(last()?.received).toBe(2);
    expect(stream.asked).toEqual(['s.group.g', 's.mark']);
  });

  it('notices a lost document of its own by their number', async () => {
    const { clock, stream, last } = await given();
    stream.write(groupDoc('h', 2), false);
    const seq = stream.write(hostDoc(2, [], ['g', 'h']), false);
    stream.write(mark(2, 2, { hosts: [['a', 1, seq]] }));
    await clock.advance(10);
    expect(last()?.received).toBe(2);
    expect(keys(last())).toEqual(['h.a.host', 's.group.g', 's.group.h']);
  });

  it('holds nothing of a port that went and is back by a document that comes before its own', async () => {
    const { clock, stream, last } = await given();
    stream.write(portDoc('p1', 2, 1));
    stream.write(mark(2, 2, { hosts: [['a', 2, stream.write(hostDoc(2, ['p1'], ['g']))]] }));
    await clock.advance(10);
    expect(last()?.documents.get('h.a.port.p1')).toMatchObject({ epoch: 1 });

    // It goes, and nothing of that is heard but the mark; while its host asks it comes again, and only the host's is heard.
    stream.write(doc('h.a.port.p1', 3, { type: 'tombstone' }), false);
    stream.whenAsked = () => {
      stream.write(portDoc('p1', 4, 2), false);
      stream.deliver(hostDoc(4, ['p1'], ['g']), (stream.seq += 1));
    };
    stream.write(mark(3, 3, { hosts: [['a', 2, stream.write(hostDoc(3, [], ['g']), false)]] }));
    await clock.advance(10);
    expect(last()?.received).toBe(3);
    expect(last()?.documents.get('h.a.port.p1')).toMatchObject({ epoch: 2 });
  });

  describe('told by a note what was written since the mark', () => {
    const note = (revision: number, rest: object = {}) =>
      doc('h.a.note', revision, {
        type: 'note',
        host,
        life: 'one',
        prev: 1,
        n: 1,
        own: [0, 0],
        shared: [],
        ...rest,
      });
    /** A host that a note brought to revision 2, by a document that stands at `seq`. */
    const noted = async () => {
      const it = await given();
      const seq = it.stream.write(hostDoc(2, [], ['g']));
      it.stream.tell(note(2, { own: [1, seq] }));
      await it.clock.advance(10);
      return { ...it, seq };
    };

    it('counts its revision without a mark, and again with the mark that lists the same', async () => {
      const { clock, stream, last } = await given();
      const seq = stream.write(hostDoc(2, [], ['g', 'h']));
      stream.write(groupDoc('h', 2), false);
      stream.tell(note(2, { own: [1, seq] }));
      await clock.advance(10);
      expect(last()?.received).toBe(2);
      expect(keys(last())).toEqual(['h.a.host', 's.group.g', 's.group.h']);
      stream.asked.length = 0;
      stream.write(mark(2, 3, { hosts: [['a', 1, seq]], shared: [['s.group.h', seq + 1]] }));
      await clock.advance(10);
      expect(last()?.received).toBe(3);
      expect(stream.asked).toEqual([]);
    });

    it('reads what is shared and did not come', async () => {
      const { clock, stream, last } = await given();
      const seq = stream.write(groupDoc('g', 2), false);
      stream.tell(note(2, { shared: [['s.group.g', seq]] }));
      await clock.advance(10);
      expect(last()?.received).toBe(2);
      expect(last()?.documents.get('s.group.g')?.revision).toBe(2);
      expect(stream.asked).toEqual(['s.group.g', 's.mark']);
    });

    it.each([
      ['one of its own did not come', { own: [2, 5] }],
      ['it missed a mark that listed something', { own: [1, 4], prev: 2, n: 2 }],
      ['it is of another life', { own: [1, 4], life: 'two' }],
    ])('waits for the next mark where %s', async (_, rest) => {
      const { clock, stream, last, troubles } = await given();
      const seq = stream.write(hostDoc(2, [], ['g', 'h']));
      expect(seq).toBe(4);
      stream.tell(note(2, rest));
      await clock.advance(10);
      expect(last()?.received).toBe(1);
      expect([troubles, stream.asked]).toEqual([[], []]);
    });

    it('takes one that says all since an earlier mark, where none after it listed anything', async () => {
      const { clock, stream, last } = await given();
      const seq = stream.write(hostDoc(2, [], ['g']));
      stream.tell(note(2, { own: [1, seq], prev: 1, n: 3 }));
      await clock.advance(10);
      expect(last()?.received).toBe(2);
    });

    it('reads all where a new leader begins behind the note, and claims nothing until a mark has come as far', async () => {
      const { clock, stream, last, seq } = await noted();
      // What the note told is lost, and its revision is another one's now.
      stream.seq = seq - 1;
      const again = stream.write(hostDoc(2, [], ['g', 'h']), false);
      stream.write(mark(2, 1, { prev: 1, prevLife: 'one', hosts: [['a', 1, again]] }, 'two'));
      await clock.advance(10);
      expect([last()?.received, keys(last())]).toEqual([2, ['h.a.host', 's.group.g']]);
      stream.write(groupDoc('h', 2), false);
      stream.write(mark(3, 2, {}, 'two'));
      await clock.advance(3000);
      expect([last()?.received, keys(last())]).toEqual([2, ['h.a.host', 's.group.g', 's.group.h']]);
    });

    it('holds nothing of what a note told where the stream lost its end and goes on under the same mark', async () => {
      const { clock, stream, last, seq } = await noted();
      stream.seq = seq - 1;
      stream.listener?.reconnected();
      await clock.advance(10);
      // By the same leader, under the same sequence, and unheard.
      const again = stream.write(hostDoc(3, [], ['g', 'h']), false);
      stream.write(groupDoc('h', 3), false);
      const recent = { after: 0, hosts: [['a', again]], shared: [], marks: [['one', 1, 2]] };
      stream.write(mark(3, 3, { prev: 2, recent }));
      await clock.advance(3000);
      expect([last()?.received, keys(last())]).toEqual([3, ['h.a.host', 's.group.g', 's.group.h']]);
    });

    it('refuses one that is forged, or meant for another', async () => {
      const { clock, stream, last, troubles } = await given();
      const seq = stream.write(hostDoc(2, [], ['g']));
      const [good, other] = [
        note(2, { own: [1, seq] }),
        { ...note(2, { own: [1, seq] }), key: 'h.b.note', host: 'b' },
      ];
      stream.listener?.note(sealDocument(good, { ...signer, sign: () => 'no' }));
      stream.listener?.note(sealDocument(other as Document, signer));
      await clock.advance(10);
      expect(last()?.received).toBe(1);
      expect(troubles).toHaveLength(2);
    });
  });

  it('reads everything again after a gap in the marks', async () => {
    const { clock, stream, last } = await given();
    stream.write(groupDoc('g', 2), false);
    stream.write(mark(2, 2), false);
    stream.write(mark(3, 3));
    await clock.advance(10);
    expect(last()?.received).toBe(3);
    expect(last()?.documents.get('s.group.g')?.revision).toBe(2);
  });

  describe('after a gap in the marks, by what the next one knows of late', () => {
    const missed = async (hosts: readonly (readonly [string, number])[] = []) => {
      const it = await given();
      const { stream } = it;
      const [first, written] = [stream.seq, stream.write(groupDoc('g', 2), false)];
      stream.write(mark(2, 2), false);
      const marks = [
        ['one', 1, 2],
        ['two', 3, 3],
      ];
      const recent = { after: first, marks, shared: [['s.group.g', written]], hosts };
      const next = (life = 'two') => mark(4, 3, { prev: 3, prevLife: life, recent }, life);
      return { ...it, written, next };
    };

    it('reads what was written, and nothing else, though another life wrote it', async () => {
      const { clock, stream, last, next } = await missed();
      stream.write(next());
      await clock.advance(10);
      expect(last()?.received).toBe(3);
      expect(last()?.documents.get('s.group.g')?.revision).toBe(2);
      expect(stream.asked).toEqual(['s.group.g', 's.mark']);
    });

    it('reads its own where some were written since, and not where it holds them', async () => {
      const before = await missed([['a', 1]]);
      before.stream.write(before.next());
      await before.clock.advance(10);
      expect(before.stream.asked).toEqual(['s.group.g', 's.mark']);

      const since = await missed([['a', 5]]);
      since.stream.write(hostDoc(3, [], []), false);
      since.stream.write(since.next());
      await since.clock.advance(10);
      expect(since.stream.asked).toContain('h.a.host');
      expect(keys(since.last())).toEqual(['h.a.host']);
    });

    it('reads everything where it does not reach back so far', async () => {
      const { clock, stream, last } = await missed();
      const recent = { after: stream.seq, marks: [['one', 1, 2]], shared: [], hosts: [] };
      stream.write(mark(4, 3, { prev: 3, prevLife: 'two', recent }, 'two'));
      await clock.advance(10);
      expect(last()?.documents.get('s.group.g')?.revision).toBe(2);
      expect(stream.asked).toContain('h.a.host');
    });

    it('takes a mark of the life before that comes late for what it is', async () => {
      const { clock, stream, last, next } = await missed();
      stream.write(next());
      await clock.advance(10);
      stream.asked.length = 0;
      stream.deliver(mark(2, 2), 4);
      await clock.advance(10);
      expect(stream.asked).toEqual([]);
      expect(last()).toMatchObject({ received: 3, stale: false });
    });

    it('catches up by the mark that stands where it heard of none', async () => {
      const { clock, stream, last, next } = await missed();
      stream.write(next(), false);
      await clock.advance(3_500);
      expect(last()?.received).toBe(3);
      expect(stream.asked).toEqual(['s.mark', 's.group.g', 's.mark']);
    });
  });

  it('goes on reading everything while another takes over', async () => {
    const { clock, stream, last } = await given();
    stream.write(mark(7, 7), false);
    stream.write(mark(9, 9));
    // The mark that it reads after is followed by another's before it is done.
    stream.whenAsked = () => {
      stream.whenAsked = () => {
        const recent = { after: stream.seq, marks: [['one', 1, 9]], shared: [], hosts: [] };
        stream.write(mark(10, 9, { prev: 9, prevLife: 'one', recent }, 'two'), false);
      };
    };
    await clock.advance(10);
    expect(last()?.received).toBe(9);
    expect(stream.asked.filter((key) => key === 'h.a.host')).toHaveLength(1);
  });

  it('says that it is stale without marks, keeps what it has, and asks for no more than the mark', async () => {
    const { clock, stream, last } = await given();
    stream.write(mark(2, 2));
    await clock.advance(2999);
    expect(last()?.stale).toBe(false);
    stream.asked.length = 0;
    await clock.advance(4000);
    expect(last()).toMatchObject({ stale: true, received: 2 });
    expect(keys(last())).toEqual(['h.a.host', 's.group.g']);
    expect(new Set(stream.asked)).toEqual(new Set(['s.mark']));
    stream.write(mark(3, 2));
    await clock.advance(10);
    expect(last()?.stale).toBe(false);
  });

  it('hears what came while it stood still before it reads anything: the timer is only first', async () => {
    const { clock, stream, last } = await given();
    const seq = stream.write(groupDoc('g', 2), false);
    const marks = [mark(2, 2, { shared: [['s.group.g', seq]] }), mark(3, 2)];
    for (const one of marks) stream.write(one, false);
    stream.whenAsked = () => {
      stream.deliver(groupDoc('g', 2), seq);
      for (const [i, one] of marks.entries()) stream.deliver(one, seq + 1 + i);
    };
    await clock.advance(3_500);
    expect(last()).toMatchObject({ received: 2, stale: false });
    expect(last()?.documents.get('s.group.g')?.revision).toBe(2);
    expect(stream.asked).toEqual(['s.mark']);
  });

  it('asks again for what it lacks where there was no answer, and does not read everything for it', async () => {
    const { clock, stream, last } = await given();
    stream.up = false;
    const seq = stream.write(groupDoc('g', 2), false);
    stream.write(mark(2, 2, { shared: [['s.group.g', seq]] }));
    await clock.advance(10);
    expect(last()?.received).toBe(1);
    stream.up = true;
    stream.asked.length = 0;
    await clock.advance(200);
    expect(last()?.received).toBe(2);
    expect(stream.asked).toEqual(['s.group.g', 's.mark']);
  });

  it('keeps what it has while nobody answers, and asks for the mark alone', async () => {
    const { clock, stream, last } = await given();
    stream.up = false;
    await clock.advance(20_000);
    expect(last()).toMatchObject({ received: 1, stale: true });
    expect(new Set(stream.asked)).toEqual(new Set(['s.mark']));
    stream.up = true;
    stream.write(mark(2, 2));
    await clock.advance(10);
    expect(last()).toMatchObject({ received: 2, stale: false });
  });

  it('lets time pass between its questions where the connection is lost again at once', async () => {
    const { clock, stream, last } = await given();
    const back = stream.write(mark(2, 2), false);
    let flushed = 0;
    // A loop without a pause would never end by itself: nothing else would have its turn.
    stream.flush = () => {
      if ((flushed += 1) > 50) return Promise.resolve(ok(undefined));
      return Promise.resolve({ ok: false as const, error: problem('unavailable', 'not connected') }) as never;
    };
    stream.listener?.reconnected();
    await clock.advance(1_000);
    expect(flushed).toBeLessThan(10);
    expect(last()).toMatchObject({ received: 1, stale: true });
    // A new connection is looked at at once, whatever the pause.
    stream.flush = () => Promise.resolve(ok(undefined));
    stream.listener?.reconnected();
    await clock.advance(0);
    expect([last()?.received, stream.seq]).toEqual([2, back]);
  });

  it('follows the shared documents that it needs, and no others', async () => {
    const { clock, stream } = await given();
    expect(stream.followed).toEqual(['s.group.g']);
    const seq = stream.write(hostDoc(2, [], ['g', 'h']));
    stream.write(groupDoc('h', 2), false);
    stream.write(mark(2, 2, { hosts: [[host, 1, seq]] }));
    await clock.advance(10);
    expect(stream.followed).toEqual(['s.group.g', 's.group.h']);
    const last = stream.write(hostDoc(3, [], ['h']));
    stream.write(mark(3, 3, { hosts: [[host, 1, last]] }));
    await clock.advance(10);
    expect(stream.followed).toEqual(['s.group.h']);
  });

  it('takes no notice of garbage on the way, and names what can not be read where it stands', async () => {
    const { clock, stream, last, troubles } = await given();
    const bytes = new TextEncoder().encode('{"body":"x"}');
    stream.listener?.message('s.group.g', { bytes, seq: 99 });
    stream.listener?.message('s.mark', { bytes, seq: 100 });
    stream.write(mark(2, 2));
    await clock.advance(10);
    expect(last()).toMatchObject({ received: 2, faults: [] });
    // Said, with its key, and passed by.
    expect(troubles).toHaveLength(2);
    expect(troubles.join()).toContain('s.group.g');
    stream.seq += 1;
    stream.standing.set('s.group.g', { bytes, seq: stream.seq });
    stream.write(mark(3, 3, { shared: [['s.group.g', stream.seq]] }));
    await clock.advance(10);
    expect(last()).toMatchObject({ received: 3, faults: [{ key: 's.group.g' }] });
    expect(keys(last())).toEqual(['h.a.host']);
  });

  it('goes on with what it had while its own host document can not be read', async () => {
    const { clock, stream, last } = await given();
    stream.seq += 1;
    stream.standing.set('h.a.host', { bytes: new Uint8Array(3), seq: stream.seq });
    stream.write(mark(2, 2, { hosts: [['a', 1, stream.seq]] }));
    await clock.advance(10);
    expect(last()).toMatchObject({ received: 1, faults: [{ key: 'h.a.host' }] });
    expect(keys(last())).toEqual(['h.a.host', 's.group.g']);
  });

  it('does not go back within a lineage, but follows a new one', async () => {
    const held = (await given()).last() as Snapshot;
    const ahead = { ...held, received: 9 as Snapshot['received'] };
    const { clock, stream, last, troubles } = await given(ahead);
    expect(last()?.received).toBe(9);
    expect(troubles[0]).toContain('this host holds 9');
    const other = { lineage: lineageOf(2) };
    stream.write({ ...hostDoc(3, [], []), ...other } as Document);
    stream.write({ ...mark(1, 3, {}, 'two'), ...other } as Document);
    await clock.advance(4000);
    expect(last()).toMatchObject({ ...other, received: 3 });
  });

  it('shows what the centre has anew, though it is all that the disk held: that it was heard is news', async () => {
    const held = (await given()).last() as Snapshot;
    const { seen, last } = await given(held);
    expect(seen[0]?.documents).toBe(held.documents);
    expect(last()).toEqual(held);
    expect(last()?.documents).not.toBe(held.documents);
  });

  it('starts from its disk copy without the centre, and refuses a damaged one', async () => {
    const held = (await given()).last() as Snapshot;
    const digest = (text: string) => String(text.length * 31 + (text.codePointAt(90) ?? 0));
    const text = toDisk(held, digest);
    const read = fromDisk(text, host, digest);
    expect(read).toEqual({ ok: true, value: { ...held, stale: true } });
    expect(fromDisk(text.replace('"revision":1', '"revision":11'), host, digest).ok).toBe(false);
    expect(fromDisk(text, 'b' as HostName, digest).ok).toBe(false);
    expect(fromDisk('', host, digest).ok).toBe(false);
  });
});
