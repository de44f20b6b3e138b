import { Migrations, type MovedStreams } from '../moved.js';
import { type SendingGuest } from '../sending.js';
import { type LabHostName, type Spine } from '../spine.js';

export const otherHost = (host: LabHostName): LabHostName => (host === 'north' ? 'south' : 'north');

/** Two hosts, one guest that sends, moved by its hypervisor, and a guest on either host that it sends to. */
export abstract class ChaosWorld {
  readonly migrations: Migrations;

  protected constructor(
    readonly spine: Spine,
    readonly streams: MovedStreams,
  ) {
    this.migrations = new Migrations(spine);
  }

  abstract readonly guest: SendingGuest;
  /** What the guest's port is known by. */
  abstract readonly owner: string;
  /** Whether the switch has read all of a guest that died: who unplugs it waits for that. */
  abstract readonly isDrained: boolean;
  /** Starts the guest anew on a host. */
  protected abstract start(host: LabHostName): Promise<void>;
  /** Frames that came from it, wherever it ran. */
  abstract sent(): Promise<number>;

  /** A guest that is new, and sends. */
  async boot(host: LabHostName): Promise<void> {
    await this.start(host);
    await this.spine.bound(this.owner, host);
    await this.guest.generate(this.streams.all);
  }

  async stop(): Promise<void> {
    await this.spine.stop();
  }

  /** The guest is still, until `speak`. */
  async hush(): Promise<void> {
    await this.guest.stopGenerating(this.streams.all);
  }

  async speak(): Promise<void> {
    await this.guest.startGenerating();
  }
}
