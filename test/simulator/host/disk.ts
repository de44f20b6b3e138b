import { type Process } from '../engine/process.js';

/**
 * A host's disk as its agent uses it: each file whole, old or new, never a mixture; writes of one name one after the
 * other and coalesced. What was not yet there when the process died is lost.
 */
export class Disk {
  readonly files = new Map<string, string>();

  wipe(): void {
    this.files.clear();
  }
}

export class DiskWriter {
  private readonly writing = new Map<string, { next: () => string; again: boolean; done: Promise<void> }>();

  constructor(
    private readonly disk: Disk,
    private readonly process: Process,
  ) {}

  /** Resolves when this or a later content of the name is on disk. The content is taken when the writing begins. */
  write(name: string, content: () => string): Promise<void> {
    const current = this.writing.get(name);
    if (current !== undefined) {
      current.next = content;
      current.again = true;
      return current.done;
    }
    const entry = { next: content, again: false, done: Promise.resolve() };
    entry.done = this.drain(name, entry).finally(() => this.writing.delete(name));
    this.writing.set(name, entry);
    return entry.done;
  }

  private async drain(name: string, entry: { next: () => string; again: boolean }): Promise<void> {
    await Promise.resolve();
    do {
      entry.again = false;
      const text = entry.next();
      await this.process.pause(this.process.random.between(0.1, 3), `disk: ${name}`);
      this.disk.files.set(name, text);
    } while (entry.again);
  }
}
