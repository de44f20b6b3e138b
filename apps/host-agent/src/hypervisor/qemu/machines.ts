import { watch, type FSWatcher } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock } from '#kernel';
import { Machine, type MachineListener } from './machine.js';
import { guestOf } from './settings.js';

/** A directory that can't be watched, or is not there yet, is looked at so often all the same. */
const LOOK_MS = 1_000;

/** Every QEMU of the host: a directory of monitors' sockets, followed as they come and go. */
export class Machines {
  readonly #byName = new Map<string, Machine>();
  #watcher: FSWatcher | null = null;
  #next: (() => void) | null = null;
  #looking: Promise<void> | null = null;
  #isClosed = false;
  #fault: string | null = null;

  constructor(
    private readonly dir: string,
    private readonly clock: Clock,
    private readonly patienceMs: number,
    private readonly log: { warn(fields: object, message: string): void },
    private readonly listener: MachineListener,
  ) {}

  async start(): Promise<void> {
    await this.#look();
  }

  get all(): readonly Machine[] {
    return [...this.#byName.values()];
  }

  /** The guest's QEMU, if it is known at this moment. */
  known(name: string): Machine | null {
    return this.#byName.get(name) ?? null;
  }

  /** The guest's QEMU, after a first attempt to reach it; null: there is no socket of it. */
  async of(name: string): Promise<Machine | null> {
    if (!this.#byName.has(name)) await this.#look();
    const machine = this.#byName.get(name) ?? null;
    await machine?.tried;
    return machine;
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#next?.();
    for (const machine of this.#byName.values()) machine.close();
    this.#byName.clear();
  }

  /** One look at a time; a look that begins after this was asked is what is waited for. */
  async #look(): Promise<void> {
    await this.#looking;
    this.#looking ??= this.#lookOnce().finally(() => (this.#looking = null));
    await this.#looking;
  }

  async #lookOnce(): Promise<void> {
    this.#next?.();
    let files: readonly string[] = [];
    try {
      this.#watch();
      files = await readdir(this.dir);
      this.#fault = null;
    } catch (cause) {
      const reason = (cause as Error).message;
      if (reason !== this.#fault) this.log.warn({ reason }, 'the directory of QEMU’s monitors can’t be read');
      this.#fault = reason;
      this.#watcher?.close();
      this.#watcher = null;
    }
    if (this.#isClosed) return;
    const names = new Set(files.flatMap((file) => guestOf(file) ?? []));
    for (const [name, machine] of this.#byName) {
      // QEMU takes its socket's name away only when it ends, and somebody may have taken it away before.
      if (names.has(name) || machine.isConnected) continue;
      machine.close();
      this.#byName.delete(name);
    }
    for (const name of names) {
      if (this.#byName.has(name)) continue;
      const path = join(this.dir, `${name}.qmp`);
      this.#byName.set(name, new Machine(name, path, this.clock, this.listener, this.patienceMs));
    }
    this.#next = this.clock.after(LOOK_MS, () => void this.#look());
  }

  #watch(): void {
    if (this.#watcher !== null || this.#isClosed) return;
    const watcher = watch(this.dir, () => void this.#look());
    watcher.on('error', () => {
      watcher.close();
      if (this.#watcher === watcher) this.#watcher = null;
    });
    this.#watcher = watcher;
  }
}
