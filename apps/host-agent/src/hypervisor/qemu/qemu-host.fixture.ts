import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type MigrationOutcome } from '../hypervisor.js';
import { FakeQemu } from './fake-qemu.fixture.js';
import { QemuHypervisor } from './hypervisor.js';
import { Moves, type Asked } from '../moves.js';
import { type QemuSettings } from './settings.js';

export const SOUTH = 'south' as HostName;

export const order = (
  attempt = 1,
  action: 'start' | 'abort' = 'start',
  more: Partial<MigrationOrder> = {},
): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt,
  action,
  owner: 'web',
  destination: SOUTH,
  ...more,
});
/** As it is on disk, when QEMU had never migrated before. */
export const asked: Asked = { key: 'm1/1/south/web', owner: 'web', before: 'none||' };

/** Host `north` with the QEMU of guest `web`, and what outlives a run of its agent. */
export class QemuHost {
  disk: readonly Asked[] = [];
  /** Of the disk; rejects what it does not take. */
  onWrite: () => Promise<void> = () => Promise.resolve();
  hypervisor!: QemuHypervisor;
  readonly said: MigrationOutcome[] = [];
  #onSaid: (() => void) | null = null;

  private constructor(
    readonly dir: string,
    public qemu: FakeQemu,
  ) {}

  static async start(): Promise<QemuHost> {
    const dir = await mkdtemp(join(tmpdir(), 'ptl-qemu-'));
    const host = new QemuHost(dir, await new FakeQemu(join(dir, 'web.qmp')).listen());
    await host.run();
    return host;
  }

  /** A run of the agent, with what earlier ones left on disk. */
  async run(more: Partial<QemuSettings> = {}): Promise<QemuHypervisor> {
    const keep = async (moves: readonly Asked[]): Promise<void> => {
      await this.onWrite();
      this.disk = structuredClone(moves);
    };
    const migrateUri = 'unix:/run/{host}/{vm}.migrate';
    const usual = { monitors: this.dir, migrateUri, downtimeMs: 50, patienceMs: 30_000, pauses: false };
    const made = new QemuHypervisor({
      host: 'north' as HostName,
      settings: { ...usual, ...more },
      moves: new Moves(keep, this.disk),
      clock: systemClock,
      log: { info: () => undefined, warn: () => undefined },
    });
    made.watch((outcome) => {
      // A run that is over has nobody who listens.
      if (this.hypervisor !== made) return;
      this.said.push(outcome);
      this.#onSaid?.();
    });
    this.hypervisor = made;
    await made.start();
    return made;
  }

  get outcomes(): readonly MigrationOutcome['outcome'][] {
    return this.said.map((s) => s.outcome);
  }

  /** Resolves when so many words were said. */
  async words(count: number): Promise<void> {
    while (this.said.length < count) await new Promise<void>((resolve) => (this.#onSaid = resolve));
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async stop(): Promise<void> {
    await this.hypervisor.close();
    await this.qemu.die();
    await rm(this.dir, { recursive: true, force: true });
  }
}
