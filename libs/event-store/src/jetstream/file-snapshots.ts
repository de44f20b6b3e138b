import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type SavedSnapshot, type SnapshotStore, type SnapshotToSave } from '../snapshot.js';
import { linesOf } from './lines.js';

const NAME = /^(\d{16})-([A-Za-z0-9_.-]+)\.ndjson$/;
/** Also what earlier versions wrote: they are swept with the others. */
const OURS = /^\d{16}-[A-Za-z0-9_.-]+\.(nd)?json$/;

/**
 * Snapshots as files, named by position and code version. A file appears whole or not at all; the newest few stay.
 * What can't be read is passed over: a snapshot is never worth failing for.
 */
export class FileSnapshots implements SnapshotStore {
  constructor(
    readonly dir: string,
    readonly keep = 3,
  ) {}

  /** Each line is written before the next is made: that lets others work in between. */
  async save({ head, codeVersion, lines }: SnapshotToSave): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    const name = `${String(head.seq).padStart(16, '0')}-${safe(codeVersion)}.ndjson`;
    const temporary = join(this.dir, `.${name}.${process.pid}`);
    const file = await open(temporary, 'w');
    try {
      for (const line of lines) await file.write(`${line}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.dir, name));
    const old = (await this.#names()).slice(this.keep);
    await Promise.all(old.map((each) => rm(join(this.dir, each), { force: true })));
  }

  async load(codeVersion: string, atMostSeq = Infinity): Promise<SavedSnapshot | undefined> {
    for (const name of await this.#names()) {
      const [, seq, version] = NAME.exec(name) ?? [];
      if (version !== safe(codeVersion) || Number(seq) > atMostSeq) continue;
      return {
        seq: Number(seq),
        lines: linesOfFile(join(this.dir, name)),
      };
    }
    return undefined;
  }

  /** Newest first. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.dir).catch(() => []);
    return names
      .filter((name) => OURS.test(name))
      .sort()
      .reverse();
  }
}

const CHUNK = 1024 * 1024;

/** Opened when it is read: a snapshot may be looked at and passed over. */
async function* linesOfFile(path: string): AsyncGenerator<string> {
  yield* linesOf(createReadStream(path, { highWaterMark: CHUNK }));
}

function safe(codeVersion: string): string {
  return codeVersion.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
}
