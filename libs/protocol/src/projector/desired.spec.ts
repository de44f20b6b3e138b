import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type Lineage, type Revision } from '#kernel';
import { KEYS, type DocumentKey, type StateDocument } from '#contracts';
import { type DocumentChange } from '../projection/documents.js';
import { Desired } from './desired.js';

const lineage = '00000000-0000-4000-8000-000000000001' as Lineage;
const other = '00000000-0000-4000-8000-000000000002' as Lineage;
const group = KEYS.group('web');
const port = KEYS.port('a', 'p1');

const made = (key: DocumentKey, type: string, revision: number, more: object = {}): DocumentChange => ({
  key,
  document: { type, schema: 1, key, lineage, revision, ...more } as unknown as StateDocument,
});
const host = (name: string): DocumentChange => made(KEYS.host(name), 'host', 1, { host: name });
const gone = (key: DocumentKey, of: string, revision = 5): DocumentChange =>
  made(key, 'tombstone', revision, { of });

const noPause = () => Promise.resolve();

describe('a tombstone', () => {
  let desired: Desired;
  let realised: Map<string, number>;
  const commit = (revision: number, ...changes: DocumentChange[]): void => {
    desired.take(lineage, revision as Revision, changes);
    desired.drain();
  };
  const spent = (): DocumentKey[] =>
    [...desired.spent((h: HostName) => (realised.get(h) ?? null) as Revision | null)].sort();

  beforeEach(() => {
    desired = new Desired(new Map(), lineage, 0 as Revision);
    realised = new Map();
    commit(1, host('a'), host('b'), made(group, 'group', 1), made(port, 'port', 1));
    commit(5, gone(group, 'group'), gone(port, 'port'));
  });

  it('of a shared key stays until every host reported; of a host’s own key until that host did', () => {
    expect(spent()).toEqual([]);
    realised.set('b', 9).set('a', 4);
    expect(spent()).toEqual([]);
    realised.set('a', 5);
    expect(spent()).toEqual([port, group].sort());
  });

  it('waits no longer for a host that is removed meanwhile, and what was that host’s goes at once', () => {
    realised.set('b', 5);
    commit(6, gone(KEYS.host('a'), 'host', 6));
    expect(spent()).toEqual([KEYS.host('a'), port, group].sort());
  });

  it('waits for a host that joins while it stands', () => {
    commit(6, host('c'));
    realised.set('a', 9).set('b', 9);
    expect(spent()).toEqual([port]);
    realised.set('c', 6);
    expect(spent()).toEqual([port, group].sort());
  });

  it('is not taken out before it was written', () => {
    realised.set('a', 9).set('b', 9);
    desired.take(lineage, 7 as Revision, [gone(KEYS.switch('lan'), 'switch', 7)]);
    expect(spent()).not.toContain(KEYS.switch('lan'));
    desired.drain();
    expect(spent()).toContain(KEYS.switch('lan'));
  });

  it('is no more when what was there comes back', () => {
    realised.set('a', 9).set('b', 9);
    commit(6, made(group, 'group', 6));
    expect(spent()).toEqual([port]);
    desired.forgetTombstone(group);
    desired.take(lineage, 7 as Revision, [made(group, 'group', 7)]);
    expect(desired.drain()).toMatchObject([{ type: 'group', revision: 7 }]);
  });

  it('outlives a change of leader: the next one finds it, keeps its revision and waits for the same hosts', async () => {
    const next = new Desired(
      new Map([host('a'), host('b')].map((c) => [c.key, c.document])),
      lineage,
      8 as Revision,
    );
    const stored = [host('a'), host('b'), gone(group, 'group')];
    await next.reconcile(published(stored), noPause);
    expect(next.isPending).toBe(false);
    desired = next;
    realised.set('a', 5);
    expect(spent()).toEqual([]);
    realised.set('b', 5);
    expect(spent()).toEqual([group]);
  });

  it('of another lineage is written anew in this one: what hosts reported of that one counts for nothing', async () => {
    const next = new Desired(new Map([[KEYS.host('a'), host('a').document]]), lineage, 8 as Revision);
    const old = gone(group, 'group');
    const stored = published([host('a'), { ...old, document: { ...old.document, lineage: other } }]);
    await next.reconcile(stored, noPause);
    expect(next.drain()).toMatchObject([{ type: 'tombstone', lineage, revision: 8, of: 'group' }]);
  });
});

const published = (stored: readonly DocumentChange[]) => ({
  lastSeq: stored.length,
  mark: null,
  documents: new Map(stored.map(({ key, document }, i) => [key, { document, seq: i + 1 }])),
  unsure: new Set<DocumentKey>(),
});
