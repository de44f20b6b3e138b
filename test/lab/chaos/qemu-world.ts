import { MovedStreams } from '../moved.js';
import { prepareGuests, QemuGuest, qemuEnv } from '../qemu.js';
import { BRIDGE, HOSTS, type LabHostName, Spine } from '../spine.js';
import { ChaosWorld } from './world.js';

const IDS = { name: 'web', mac: '02:00:00:00:00:77', ifaceId: 'web-eth0', profile: 'web' };

/** A guest that runs in a plain QEMU. */
export class QemuWorld extends ChaosWorld {
  readonly guest: QemuGuest;
  readonly owner = IDS.name;
  readonly isDrained = true;

  private constructor(spine: Spine, streams: MovedStreams) {
    super(spine, streams);
    this.guest = new QemuGuest(spine.lab, { ...IDS, bridge: BRIDGE });
  }

  static async start(env = qemuEnv): Promise<QemuWorld> {
    const spine = await Spine.start(env);
    try {
      await prepareGuests(spine.lab, HOSTS);
      const world = new QemuWorld(spine, await MovedStreams.to(spine));
      await world.boot('north');
      return world;
    } catch (cause) {
      await spine.stop();
      throw cause;
    }
  }

  sent(): Promise<number> {
    return this.guest.framesIn();
  }

  override async stop(): Promise<void> {
    try {
      await this.guest.stop();
    } finally {
      await super.stop();
    }
  }

  protected start(host: LabHostName): Promise<void> {
    return this.guest.boot(host);
  }
}
