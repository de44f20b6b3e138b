import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lineage, type Revision } from '#kernel';
import { EMPTY_HEAD } from '../chain-reader.js';
import { type Snapshot } from '../snapshot.js';
import { FileSnapshots } from './file-snapshots.js';

const lineage = '00000000-0000-4000-8000-000000000001' as Lineage;

function snapshot(seq: number, codeVersion = 'v1'): Snapshot {
  const head = { ...EMPTY_HEAD, seq, lineage, revision: seq as Revision };
  return { codeVersion, head, digest: 'd', state: { seq }, commands: [], repudiated: [] };
}

describe('snapshots as files', () => {
  let dir: string;
  let store: FileSnapshots;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'portolan-snapshots-'));
    store = new FileSnapshots(join(dir, 'new'), 2);
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('gives the newest of its code version, or none', async () => {
    expect(await store.load('v1')).toBeUndefined();
    await store.save(snapshot(9));
    await store.save(snapshot(10));
    await store.save(snapshot(11, 'v2'));
    expect(await store.load('v1')).toEqual(snapshot(10));
    expect(await store.load('v3')).toBeUndefined();
  });

  it('gives the newest up to a revision of a lineage', async () => {
    await store.save(snapshot(5));
    await store.save(snapshot(8));
    expect(await store.load('v1', { lineage, revision: 7 as Revision })).toEqual(snapshot(5));
    expect(await store.load('v1', { lineage: 'other' as Lineage, revision: 9 as Revision })).toBeUndefined();
  });

  it('keeps a few, and passes over what is no whole snapshot', async () => {
    for (const seq of [1, 2, 3]) await store.save(snapshot(seq));
    await writeFile(join(dir, 'new', '0000000000000009-v1.json'), '{"codeVersion":"v1","head":{');
    expect((await readdir(join(dir, 'new'))).sort()).toHaveLength(3);
    expect(await store.load('v1')).toEqual(snapshot(3));
  });
});
