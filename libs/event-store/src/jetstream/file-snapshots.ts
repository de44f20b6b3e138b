import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lineage, type Revision } from '#kernel';
import { type Snapshot, type SnapshotStore } from '../snapshot.js';

const NAME = /^(\d{16})-([A-Za-z0-9_.-]+)\.json$/;

/**
 * Snapshots as files, named by position and code version. A file appears whole or not at all; the newest few stay.
 * What can't be read is passed over: a snapshot is never worth failing for.
 */
export class FileSnapshots implements SnapshotStore {
  constructor(
    readonly dir: string,
    readonly keep = 3,
  ) {}

  async save(snapshot: Snapshot): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    const name = `${String(snapshot.head.seq).padStart(16, '0')}-${safe(snapshot.codeVersion)}.json`;
    const temporary = join(this.dir, `.${name}.${process.pid}`);
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(JSON.stringify(snapshot));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.dir, name));
    const old = (await this.#names()).slice(this.keep);
    await Promise.all(old.map((each) => rm(join(this.dir, each), { force: true })));
  }

  async load(
    codeVersion: string,
    atMost?: { lineage: Lineage; revision: Revision },
  ): Promise<Snapshot | undefined> {
    for (const name of await this.#names()) {
      if (NAME.exec(name)?.[2] !== safe(codeVersion)) continue;
      const snapshot = parse(await readFile(join(this.dir, name), 'utf8').catch(() => ''));
      if (snapshot?.codeVersion !== codeVersion) continue;
      const { lineage, revision } = snapshot.head;
      if (atMost === undefined || (lineage === atMost.lineage && revision <= atMost.revision))
        return snapshot;
    }
    return undefined;
  }

  /** Newest first. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.dir).catch(() => []);
    return names
      .filter((name) => NAME.test(name))
      .sort()
      .reverse();
  }
}

function safe(codeVersion: string): string {
  return codeVersion.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
}

/** A snapshot by its shape; whether it is true, its digest and the log say. */
function parse(text: string): Snapshot | undefined {
  try {
    const value = JSON.parse(text) as Partial<Snapshot> | null;
    const { head, digest, commands, repudiated } = value ?? {};
    const whole =
      typeof head?.seq === 'number' &&
      typeof head.hash === 'string' &&
      typeof head.revision === 'number' &&
      typeof digest === 'string' &&
      Array.isArray(commands) &&
      Array.isArray(repudiated);
    return whole ? (value as Snapshot) : undefined;
  } catch {
    // Half a file, or none of ours.
    return undefined;
  }
}
