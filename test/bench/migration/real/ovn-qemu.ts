import { numbered, type Lab } from '../../../lab/net.js';
import { prepareGuests, QemuGuest } from '../../../lab/qemu.js';
import { GUEST_IP } from '../../../lab/sending.js';
import { BRIDGE } from '../../ovn/controller.js';
import { FAR, HOSTS } from '../guests.js';
import { bothHosts, type OvnSwitch, withOvn } from '../ovn-switch.js';
import { type Rig } from './rig.js';
import { prepare, type Standstill } from './trial.js';

/** As agents are set. */
const LIMITS = { 'downtime-limit': 100, 'max-bandwidth': 1_000_000_000 };

/** Runs `work` with OVN on the hosts of a lab, and a guest of QEMU that is moved by QMP. */
export const withOvnQemu = <T>(lab: Lab, work: (rig: Rig) => Promise<T>): Promise<T> =>
  withOvn(lab, async (ovn) => {
    await prepareGuests(lab, HOSTS);
    const guest = new QemuGuest(lab, { ...numbered(1), bridge: BRIDGE, profile: 'none' });
    try {
      const peer = await lab.addVm(FAR, { ...numbered(2), bridge: BRIDGE });
      await guest.boot(HOSTS[0]);
      const { mac } = guest.options;
      await ovn.add([{ ...guest.options, ip: GUEST_IP }, numbered(2)]);
      await prepare(guest, peer);
      const moves = new OvnMoves(ovn, guest);
      const way = (name: string, isAsked: boolean) => ({
        ...{ name, guest, peer, mac },
        move: () => moves.go(isAsked),
        finish: () => moves.finish(isAsked),
      });
      const ways = [way('OVN, plugged early', false), way('OVN, both hosts requested, RARP', true)];
      return await work({ name: 'OVN', ways });
    } finally {
      await guest.stop();
    }
  });

/** A guest that goes to and fro, whether OVN is told of it or not. */
class OvnMoves {
  #here = '';

  constructor(
    private readonly ovn: OvnSwitch,
    private readonly guest: QemuGuest,
  ) {}

  async go(isAsked: boolean): Promise<Standstill> {
    const { guest } = this;
    const here = guest.run;
    this.#here = here.host.name;
    const destination = this.#here === HOSTS[0] ? HOSTS[1] : HOSTS[0];
    if (isAsked) await this.#request(...bothHosts(this.#here, destination));
    const there = await guest.plugAt(destination);
    await there.start(guest.incoming(destination));
    await here.qmp('migrate-set-parameters', LIMITS);
    await here.qmp('migrate', { uri: guest.incoming(destination) });
    return { from: await here.events.when('STOP'), to: await there.events.when('RESUME') };
  }

  async finish(isAsked: boolean): Promise<void> {
    const { guest, ovn } = this;
    if (isAsked) await this.#request(`requested-chassis=${guest.run.host.name}`);
    const left = guest.runs.find((run) => run.host.name === this.#here && !run.isGone);
    await left?.kill();
    if (isAsked) await this.#request();
    await ovn.up();
  }

  #request(...options: readonly string[]): Promise<void> {
    return this.ovn.request(this.guest.options.ifaceId, ...options);
  }
}
