import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGunzip, createGzip, gunzip, gzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { err, ok, problem, ProblemError, type Result } from '#kernel';
import { type ArchiveStore, type Block, type Segment, type SegmentWriter } from '../archive/segment.js';
import { type SavedSnapshot, type SnapshotToSave } from '../snapshot.js';
import { linesOf } from './lines.js';

const MANIFEST = /^(log-\d{12}-\d{12})\.json$/;
const [zip, unzip] = [promisify(gzip), promisify(gunzip)];

/** Names of a segment's files. */
const files = (name: string) => ({
  manifest: `${name}.json`,
  messages: `${name}.ndjson.gz`,
  snapshot: `${name}.snapshot.ndjson.gz`,
});

/**
 * An archive as files of a directory: per segment its messages, a line each (`zcat` shows them), a snapshot of the state
 * at its end, and a manifest, which appears last and makes it one. No file is ever written over.
 */
export class FileArchive implements ArchiveStore {
  constructor(readonly place: string) {}

  async manifests(): Promise<readonly { readonly name: string; readonly text: string }[]> {
    const found: { name: string; text: string }[] = [];
    for (const file of (await this.#list()).sort()) {
      const name = MANIFEST.exec(file)?.[1];
      if (name !== undefined) found.push({ name, text: await readFile(join(this.place, file), 'utf8') });
    }
    return found;
  }

  async lines({ name, fileBytes }: Segment, { at, length }: Block): Promise<Uint8Array> {
    const path = join(this.place, files(name).messages);
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw new ProblemError(problem('internal', `archive segment ${name} is missing: ${String(cause)}`), {
        cause,
      });
    });
    try {
      const { size } = await file.stat();
      if (size !== fileBytes) throw damaged(name, `${path} has ${size} bytes, not ${fileBytes}`);
      const packed = Buffer.alloc(length);
      await file.read(packed, 0, length, at);
      return await unzip(packed).catch((cause: unknown) => {
        throw damaged(name, `what stands at ${at} can't be unpacked: ${String(cause)}`);
      });
    } finally {
      await file.close();
    }
  }

  snapshot({ name, last }: Segment): Promise<SavedSnapshot> {
    const path = join(this.place, files(name).snapshot);
    const unpacked = async function* (): AsyncGenerator<string> {
      const stream = createReadStream(path);
      const plain = createGunzip();
      const done = pipeline(stream, plain);
      // Told by the lines as well; this one must not go unheard.
      done.catch(() => undefined);
      yield* linesOf(plain);
      await done;
    };
    return Promise.resolve({ seq: last.seq, lines: unpacked() });
  }

  async write(): Promise<SegmentWriter> {
    await mkdir(this.place, { recursive: true });
    const temporary = join(this.place, `.sealing-${process.pid}-${Date.now()}`);
    return new FileSegmentWriter(this.place, temporary, await open(`${temporary}.messages`, 'wx'));
  }

  async #list(): Promise<string[]> {
    try {
      return await readdir(this.place);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      const text = `the archive ${this.place} can't be read: ${String(cause)}`;
      throw new ProblemError(problem('internal', text), { cause });
    }
  }
}

const damaged = (name: string, why: string): ProblemError =>
  new ProblemError(problem('internal', `archive segment ${name} is damaged: ${why}`));

class FileSegmentWriter implements SegmentWriter {
  #size = 0;

  constructor(
    private readonly dir: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {}

  async block(lines: Uint8Array): Promise<{ readonly at: number; readonly length: number }> {
    const packed = await zip(lines);
    const at = this.#size;
    await this.file.writeFile(packed);
    this.#size += packed.length;
    return { at, length: packed.length };
  }

  async snapshot({ lines }: SnapshotToSave): Promise<void> {
    const file = await open(`${this.temporary}.snapshot`, 'wx');
    try {
      const ended = function* (): Generator<string> {
        for (const line of lines) yield `${line}\n`;
      };
      await pipeline(
        Readable.from(ended()),
        createGzip({ level: 1 }),
        async (packed: AsyncIterable<Buffer>) => {
          for await (const chunk of packed) await file.writeFile(chunk);
        },
      );
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** On the disk before the manifest names them; a link never takes the place of a file that is there. */
  async seal(name: string, manifest: (fileBytes: number) => string): Promise<Result<void>> {
    const names = files(name);
    await this.file.sync();
    const last = await open(`${this.temporary}.manifest`, 'wx');
    try {
      await last.writeFile(`${manifest(this.#size)}\n`);
      await last.sync();
    } finally {
      await last.close();
    }
    // Left over by one that was killed before its manifest: nobody reads them.
    if (!(await readdir(this.dir)).includes(names.manifest))
      for (const file of [names.messages, names.snapshot]) await rm(join(this.dir, file), { force: true });
    try {
      await link(`${this.temporary}.messages`, join(this.dir, names.messages));
      await link(`${this.temporary}.snapshot`, join(this.dir, names.snapshot));
      await syncDirectory(this.dir);
      await link(`${this.temporary}.manifest`, join(this.dir, names.manifest));
      await syncDirectory(this.dir);
      return ok(undefined);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      return err(problem('conflict', `${name} is in ${this.dir} already`));
    }
  }

  async abandon(): Promise<void> {
    await this.file.close();
    for (const part of ['messages', 'snapshot', 'manifest'])
      await rm(`${this.temporary}.${part}`, { force: true });
  }
}

/** A name is on the disk when its directory is. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
