import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY_HEAD } from '../chain-reader.js';
import { type SavedSnapshot, type SnapshotToSave } from '../snapshot.js';
import { FileSnapshots } from './file-snapshots.js';

const lines = (seq: number): string[] => [`{"seq":${seq}}`, 'é'.repeat(seq * 100_000), '["end",""]'];
function snapshot(seq: number, codeVersion = 'v1'): SnapshotToSave {
  return { codeVersion, head: { ...EMPTY_HEAD, seq }, lines: lines(seq) };
}

async function read(saved: SavedSnapshot | undefined): Promise<string[]> {
  const all: string[] = [];
  for await (const line of saved?.lines ?? []) all.push(line);
  return all;
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
    expect(await read(await store.load('v1'))).toEqual(lines(10));
    expect(await store.load('v3')).toBeUndefined();
  });

  it('gives the newest up to a position', async () => {
    await store.save(snapshot(5));
    await store.save(snapshot(8));
    expect(await store.load('v1', 7)).toMatchObject({ seq: 5 });
    expect(await store.load('v1', 8)).toMatchObject({ seq: 8 });
    expect(await store.load('v1', 4)).toBeUndefined();
  });

  it('keeps a few, those of earlier forms among them', async () => {
    await store.save(snapshot(1));
    await writeFile(join(dir, 'new', '0000000000000000-v1.json'), '{}');
    for (const seq of [2, 3]) await store.save(snapshot(seq));
    expect((await readdir(join(dir, 'new'))).sort()).toEqual([
      '0000000000000002-v1.ndjson',
      '0000000000000003-v1.ndjson',
    ]);
  });

  it('leaves nothing of one that could not be made', async () => {
    await store.save(snapshot(1));
    const broken = function* (): Generator<string> {
      yield '{}';
      throw new Error('a defect');
    };
    await expect(store.save({ ...snapshot(2), lines: broken() })).rejects.toThrow('a defect');
    expect(await store.load('v1')).toMatchObject({ seq: 1 });
  });
});
