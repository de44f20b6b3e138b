import { type LabVm } from '../net.js';
import { Migrations, MOVED_POLICY, MovedStreams } from '../moved.js';
import { prepareGuests, QemuGuest, qemuEnv } from '../qemu.js';
import { BRIDGE, group, HOSTS, type LabHostName, Spine } from '../spine.js';

export const GUEST = 'web';

export const otherHost = (host: LabHostName): LabHostName => (host === 'north' ? 'south' : 'north');

/** Two hosts, one guest of QEMU that sends, and a guest on either host that it sends to. */
export class ChaosWorld {
  readonly streams: MovedStreams;
  readonly migrations: Migrations;

  private constructor(
    readonly spine: Spine,
    readonly guest: QemuGuest,
    private readonly receivers: readonly [LabVm, LabVm],
  ) {
    this.streams = new MovedStreams(...receivers);
    this.migrations = new Migrations(spine);
  }

  static async start(): Promise<ChaosWorld> {
    const spine = await Spine.start(qemuEnv);
    try {
      await prepareGuests(spine.lab, HOSTS);
      await spine.api.apply(group('web', MOVED_POLICY));
      const peer = await spine.guest('south', 'peer', 'web');
      const far = await spine.guest('north', 'far', 'web');
      const ids = { name: GUEST, mac: '02:00:00:00:00:77', bridge: BRIDGE };
      const guest = new QemuGuest(spine.lab, { ...ids, ifaceId: 'web-eth0', profile: 'web' });
      const world = new ChaosWorld(spine, guest, [peer, far]);
      await world.boot('north');
      return world;
    } catch (cause) {
      await spine.stop();
      throw cause;
    }
  }

  /** A guest that is new, and sends. */
  async boot(host: LabHostName): Promise<void> {
    await this.guest.boot(host);
    await this.spine.bound(GUEST, host);
    await this.guest.generate(this.streams.all);
  }

  async stop(): Promise<void> {
    try {
      await this.guest.stop();
    } finally {
      await this.spine.stop();
    }
  }

  async forgetArrived(): Promise<void> {
    for (const vm of this.receivers) await vm.resetReceived();
  }

  /** The guest is still, until `speak`. */
  async hush(): Promise<void> {
    await this.guest.stopGenerating(this.streams.all);
  }

  async speak(): Promise<void> {
    await this.guest.type('(echo start > /proc/net/pktgen/pgctrl) &');
  }
}
