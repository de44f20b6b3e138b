import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, problem, type Result } from '#kernel';

/**
 * The agent's disk: small JSON files, each written whole and atomically (write aside, fsync, rename), so that a
 * crash leaves the old or the new content, never a mixture. Writes of one name are serialised and coalesced.
 */
export class StateDir {
  readonly #writing = new Map<string, { next: unknown; running: Promise<void> }>();

  private constructor(readonly path: string) {}

  /** Makes the directory, readable by the owner only. */
  static async open(path: string): Promise<StateDir> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new StateDir(path);
  }

  /** The stored value; `ok(undefined)` when there is none; a problem when it can't be read as JSON. */
  async read(name: string): Promise<Result<unknown>> {
    const file = join(this.path, `${name}.json`);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ok(undefined);
      return err(problem('unavailable', `cannot read ${file}: ${String(cause)}`));
    }
    try {
      return ok(JSON.parse(text));
    } catch (cause) {
      return err(problem('invalid', `${file} is not JSON: ${String(cause)}`));
    }
  }

  /** Resolves when the value (or a later one of the same name) is on disk; rejects when it could not be written. */
  write(name: string, value: unknown): Promise<void> {
    const current = this.#writing.get(name);
    if (current !== undefined) {
      current.next = value;
      return current.running;
    }
    const entry = { next: value as unknown, running: Promise.resolve() };
    entry.running = this.#drain(name, entry).finally(() => this.#writing.delete(name));
    this.#writing.set(name, entry);
    return entry.running;
  }

  async #drain(name: string, entry: { next: unknown }): Promise<void> {
    // One turn of the loop first: several writes of one tick become one.
    await Promise.resolve();
    let value: unknown;
    do {
      value = entry.next;
      await this.#put(name, value);
    } while (value !== entry.next);
  }

  async #put(name: string, value: unknown): Promise<void> {
    const file = join(this.path, `${name}.json`);
    const aside = `${file}.new`;
    const handle = await open(aside, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(value));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  }
}
