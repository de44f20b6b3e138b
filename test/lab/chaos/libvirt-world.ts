import { randomUUID } from 'node:crypto';
import { libvirtEnv, LibvirtGuest, LibvirtLab } from '../libvirt.js';
import { MovedStreams } from '../moved.js';
import { type Lab } from '../net.js';
import { BRIDGE, HOSTS, type LabHostName, Spine } from '../spine.js';
import { TapCounts } from '../taps.js';
import { ChaosWorld } from './world.js';

const IDS = { name: 'web', mac: '02:00:00:00:00:77', profile: 'web' };
/** What libvirt makes of it for the host's end. */
const TAP_MAC = 'fe:00:00:00:00:77';

/** A guest of libvirt, and a libvirtd on either host. */
export class LibvirtWorld extends ChaosWorld {
  readonly guest: LibvirtGuest;
  readonly isDrained = false;

  private constructor(
    spine: Spine,
    readonly libvirt: LibvirtLab,
    private readonly taps: readonly TapCounts[],
    streams: MovedStreams,
  ) {
    super(spine, streams);
    this.guest = new LibvirtGuest(libvirt, { ...IDS, bridge: BRIDGE, ifaceId: randomUUID() });
  }

  /** `env`: of a host's agent. */
  static async start(
    env: (host: LabHostName, lab: Lab) => NodeJS.ProcessEnv = libvirtEnv,
  ): Promise<LibvirtWorld> {
    const spine = await Spine.start(env);
    try {
      const libvirt = await LibvirtLab.start(spine.lab, HOSTS);
      const taps = await Promise.all(HOSTS.map((host) => TapCounts.start(spine.lab.host(host))));
      for (const each of taps) spine.lab.hold(each);
      const world = new LibvirtWorld(spine, libvirt, taps, await MovedStreams.to(spine));
      await world.boot('north');
      return world;
    } catch (cause) {
      await spine.stop();
      throw cause;
    }
  }

  get owner(): string {
    return this.guest.uuid;
  }

  async sent(): Promise<number> {
    let sent = 0;
    for (const taps of this.taps) sent += await taps.of(TAP_MAC);
    return sent;
  }

  protected start(host: LabHostName): Promise<void> {
    return this.guest.boot(host);
  }
}
