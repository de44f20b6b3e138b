import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { ManualClock } from '../../agent.fixture.js';
import { type MigrationOutcome } from '../hypervisor.js';
import { Moves, type Asked } from '../moves.js';
import { FakeLibvirt, WEB } from './fake-libvirt.fixture.js';
import { LibvirtHypervisor } from './hypervisor.js';
import { type LibvirtSettings } from './settings.js';

export const order = (more: Partial<MigrationOrder> = {}): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt: 1,
  action: 'start',
  owner: WEB,
  destination: 'south' as HostName,
  ...more,
});
const USUAL: LibvirtSettings = {
  uri: 'qemu:///system',
  destination: 'qemu+tls://{host}/system',
  migrateUri: 'tcp://{host}',
  options: [],
};

/** A host with a libvirtd, and what outlives a run of its agent. */
export class LibvirtHost {
  readonly libvirt = new FakeLibvirt();
  readonly clock = new ManualClock();
  disk: readonly Asked[] = [];
  /** Of the disk; rejects what it does not take. */
  onWrite: () => Promise<void> = () => Promise.resolve();
  hypervisor!: LibvirtHypervisor;
  readonly said: MigrationOutcome[] = [];

  /** A run of the agent, with what earlier ones left on disk. */
  async run(more: Partial<LibvirtSettings> = {}): Promise<void> {
    const keep = async (moves: readonly Asked[]): Promise<void> => {
      await this.onWrite();
      this.disk = structuredClone(moves);
    };
    const made = new LibvirtHypervisor({
      settings: { ...USUAL, ...more },
      virsh: this.libvirt,
      moves: new Moves(keep, this.disk),
      clock: this.clock,
      random: () => 0.5,
      log: { info: () => undefined, warn: () => undefined },
    });
    this.hypervisor = made;
    // A run that is over has nobody who listens.
    made.watch((outcome) => this.hypervisor === made && this.said.push(outcome));
    await made.start();
    await this.settled();
  }

  get outcomes(): readonly MigrationOutcome['outcome'][] {
    return this.said.map((s) => s.outcome);
  }

  async begin(more: Partial<MigrationOrder> = {}): Promise<void> {
    await this.hypervisor.migrate(order(more));
    await this.settled();
  }

  /** Everything that only waits for answers that are there has happened. */
  async settled(): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  }

  async after(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settled();
  }

  /** The agent dies and comes back; libvirt goes on. */
  async restarted(): Promise<void> {
    await this.hypervisor.close();
    await this.run();
  }
}
