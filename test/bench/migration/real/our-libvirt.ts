import { randomUUID } from 'node:crypto';
import { libvirtEnv, LibvirtGuest, LibvirtLab } from '../../../lab/libvirt.js';
import { numbered, type Lab } from '../../../lab/net.js';
import { QemuEvents } from '../../../lab/qemu-events.js';
import { ANNOUNCEMENTS } from '../../../lab/sending.js';
import { FAR, HOSTS } from '../guests.js';
import { Progress, WHERE, withOurCluster } from '../our-cluster.js';
import { type OurRig } from './rig.js';
import { prepare, type Standstill } from './trial.js';

/** Runs `work` with a cluster on the hosts of a lab, a libvirtd on two of them, and a guest that Portolan has libvirt move. */
export const withOurLibvirt = <T>(
  lab: Lab,
  say: (line: string) => void,
  work: (rig: OurRig) => Promise<T>,
): Promise<T> =>
  withOurCluster(
    lab,
    say,
    async (it) => {
      const libvirt = await LibvirtLab.start(lab, HOSTS);
      const ids = { ...numbered(1), ifaceId: randomUUID() };
      const guest = new LibvirtGuest(libvirt, { ...ids, ...WHERE });
      const peer = await lab.addVm(FAR, { ...numbered(2), ...WHERE });
      await guest.boot(HOSTS[0]);
      const progress = new Progress(it.api, guest.uuid);
      await progress.bound(2);
      await prepare(guest, peer);
      const moves = new LibvirtMoves(libvirt, guest, progress);
      try {
        return await work({
          name: 'ours',
          ways: [
            {
              ...{ name: 'ours, by order (libvirt)', guest, peer, mac: ids.mac },
              move: () => moves.go(),
              finish: () => moves.finish(),
            },
          ],
          ledgerError: () =>
            progress.ledgerError(async () => (await guest.transmitted()) + moves.count * ANNOUNCEMENTS),
          lost: () => progress.lost(),
          pauses: () => progress.pauses(),
        });
      } finally {
        moves.close();
      }
    },
    (host) => (host === FAR ? {} : libvirtEnv(host, lab)),
  );

/** A guest that goes to and fro by the operator's word; libvirt plugs it. */
class LibvirtMoves {
  count = 0;
  #there: string = HOSTS[0];
  readonly #events: ReadonlyMap<string, QemuEvents>;

  constructor(
    libvirt: LibvirtLab,
    private readonly guest: LibvirtGuest,
    private readonly progress: Progress,
  ) {
    this.#events = new Map(HOSTS.map((host) => [host, QemuEvents.ofLibvirt(libvirt.at(host).uri)]));
  }

  async go(): Promise<Standstill> {
    const [here, there] = this.count++ % 2 === 0 ? HOSTS : [HOSTS[1], HOSTS[0]];
    for (const events of this.#events.values()) events.forget();
    await this.progress.begin(there);
    const [from = NaN, to = NaN] = await this.progress.orWhy(
      Promise.all([this.#events.get(here)?.when('STOP'), this.#events.get(there)?.when('RESUME')]),
    );
    this.#there = there;
    return { from, to };
  }

  async finish(): Promise<void> {
    await this.progress.completed();
    await this.guest.movedTo(this.#there);
  }

  close(): void {
    for (const events of this.#events.values()) events.close();
  }
}
