import { type LabVm } from '../net.js';
import { prepareGuests, QemuGuest, qemuEnv } from '../qemu.js';
import { BRIDGE, HOSTS, type LabHostName, Spine } from '../spine.js';
import { ChaosWorld, receiversOf } from './world.js';

const IDS = { name: 'web', mac: '02:00:00:00:00:77', ifaceId: 'web-eth0', profile: 'web' };

/** A guest that runs in a plain QEMU. */
export class QemuWorld extends ChaosWorld {
  readonly guest: QemuGuest;
  readonly owner = IDS.name;
  readonly isDrained = true;

  private constructor(spine: Spine, receivers: readonly [LabVm, LabVm]) {
    super(spine, receivers);
    this.guest = new QemuGuest(spine.lab, { ...IDS, bridge: BRIDGE });
  }

  static async start(): Promise<QemuWorld> {
    const spine = await Spine.start(qemuEnv);
    try {
      await prepareGuests(spine.lab, HOSTS);
      const world = new QemuWorld(spine, await receiversOf(spine));
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
