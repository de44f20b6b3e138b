import { describe, expect, it } from '@jest/globals';
import { ok, unwrap, type Lineage, type Revision } from '#kernel';
import {
  KEYS,
  sealDocument,
  type DocumentKey,
  type MarkDocument,
  type Signer,
  type StateDocument,
} from '#contracts';
import { leadsTo, readSince } from './known.js';
import { type DocumentStore, type Published, type StoredDocument } from './store.js';

const lineage = '00000000-0000-4000-8000-000000000001' as Lineage;
const signer: Signer = { kid: 'spec', sign: (body) => String(body.length) };
const verifier = { verify: (body: string, sig: string) => sig === String(body.length) };
const mark = (n: number, life: string, more: Partial<MarkDocument> = {}): MarkDocument => ({
  type: 'mark',
  schema: 1,
  key: KEYS.mark,
  lineage,
  revision: 1 as Revision,
  n,
  life,
  prev: n - 1,
  prevLife: life,
  shared: [],
  hosts: [],
  time: 0,
  ...more,
});
const group = (name: string, revision: number): StateDocument =>
  ({ type: 'tombstone', schema: 1, key: KEYS.group(name as never), lineage, revision, of: 'group' }) as never;
const stored = (seq: number, document: StateDocument | MarkDocument): StoredDocument => ({
  key: document.key,
  bytes: sealDocument(document, signer),
  seq,
});

describe('from one mark to a later one', () => {
  const known = mark(5, 'a');
  it.each([
    ['the same mark', mark(5, 'a'), true],
    ['a later one of the same life', mark(9, 'a'), true],
    ['an earlier one of the same life: the stream came back older', mark(4, 'a'), false],
    ['the claim of who came after', mark(6, 'b', { prevLife: 'a', prev: 5 }), true],
    ['a claim that lists what came since an earlier mark', mark(6, 'b', { prevLife: 'a', prev: 3 }), true],
    ['a claim after marks that are not known', mark(9, 'b', { prevLife: 'a', prev: 8 }), false],
    ['another life’s second mark', mark(7, 'b'), false],
    ['a chain broken on purpose', mark(6, 'b', { prevLife: '', prev: 5 }), false],
  ])('%s', (_what, now, goesOn) => expect(leadsTo(known, now)).toBe(goesOn));
});

describe('reading on from what is known', () => {
  const known = (...unlisted: [DocumentKey, number][]): Published => ({
    lastSeq: 12,
    mark: { document: mark(5, 'a'), seq: 10 },
    documents: new Map(
      [['s.group.x', 3] as const, ['s.group.y', 4] as const, ...unlisted].map(([key, seq]) => [
        key as DocumentKey,
        { document: null, seq },
      ]),
    ),
    unsure: new Set(),
  });
  const storeOf = (...messages: StoredDocument[]): DocumentStore => ({
    mark: () => Promise.resolve(ok(messages.findLast((m) => m.key === KEYS.mark) ?? null)),
    load: (after = 0) =>
      Promise.resolve(
        ok({ lastSeq: messages.at(-1)?.seq ?? 0, documents: messages.filter((m) => m.seq > after) }),
      ),
    put: () => Promise.reject(new Error('only read')),
    tell: () => undefined,
    remove: () => Promise.reject(new Error('only read')),
  });
  const read = async (store: DocumentStore, from: Published | null): Promise<Published | null> =>
    unwrap(await readSince(store, from, verifier as never, () => Promise.resolve()));

  it('takes what came after the mark over what was known', async () => {
    const store = storeOf(stored(11, group('x', 7)), stored(12, mark(6, 'a')));
    const now = await read(store, known());
    expect([now?.lastSeq, now?.mark?.document.n]).toEqual([12, 6]);
    expect([...(now?.documents ?? [])].map(([key, d]) => [key, d.seq, d.document?.revision])).toEqual([
      ['s.group.x', 11, 7],
      ['s.group.y', 4, undefined],
    ]);
  });

  it('has all read where something known was listed by no mark and is not there: it came back older', async () => {
    const back = storeOf(stored(10, mark(5, 'a')), stored(11, group('z', 7)));
    expect((await read(back, known(['s.group.z', 11])))?.documents.size).toBe(3);
    expect(await read(back, known(['s.group.z', 11], ['s.group.x', 12]))).toBeNull();
  });

  it('has all read where nothing is known, no mark stands, or it is another’s', async () => {
    const standing = storeOf(stored(10, mark(5, 'a')));
    expect(await read(standing, null)).toBeNull();
    expect(await read(standing, { ...known(), mark: null })).toBeNull();
    expect(await read(storeOf(), known())).toBeNull();
    expect(await read(storeOf(stored(11, mark(6, 'b'))), known())).toBeNull();
    const forged = { ...stored(10, mark(5, 'a')), bytes: Buffer.from('{}') };
    expect(await read(storeOf(forged), known())).toBeNull();
  });
});
