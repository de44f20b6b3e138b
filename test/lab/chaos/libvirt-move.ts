import { type Libvirtd } from '../libvirtd.js';
import { type LabHostName, until } from '../spine.js';
import { type LibvirtMoment } from './libvirt-outcomes.js';
import { type LibvirtWorld } from './libvirt-world.js';
import { type End, LIMIT_MS, Move } from './move.js';

/** MiB/s. The guest's memory takes most of a minute at the lower one. */
const CRAWL = '1';
const FULL_SPEED = '1000';

/** A move from libvirtd to libvirtd: they plug the guest where it goes, and unplug it where it was. */
export class LibvirtMove extends Move {
  readonly #uuid: string;
  /** It was slowed down here; its agent, too, slows it down, as long as the destination is not ready. */
  #crawls = false;

  private constructor(protected override readonly world: LibvirtWorld) {
    super(world, world.guest.host as LabHostName);
    this.#uuid = world.guest.uuid;
  }

  static async at(world: LibvirtWorld, moment: LibvirtMoment): Promise<LibvirtMove> {
    const move = new LibvirtMove(world);
    await move.#reach(moment);
    return move;
  }

  async goOn(): Promise<void> {
    const look = async () => (await this.#isThere()) || (await this.viewAt('moving'));
    await until('the guest to go, or an end', look, LIMIT_MS);
    await this.arrived();
  }

  async hurry(): Promise<void> {
    await this.#setSpeed(FULL_SPEED);
  }

  async arrived(): Promise<void> {
    await until('the guest to run at the destination', () => this.#comes(), LIMIT_MS);
    await this.left();
    await this.world.guest.movedTo(this.destination);
  }

  async kill(what: string, end: End): Promise<() => Promise<void>> {
    const daemon = this.#daemon(end);
    if (what === 'libvirtd') {
      await daemon.killDaemon();
      return () => daemon.startDaemon();
    }
    await daemon.killGuest(this.world.guest.options.name);
    return () => Promise.resolve();
  }

  async clear(end: End): Promise<void> {
    const daemon = this.#daemon(end);
    await until(`nothing of it at the ${end}`, async () => !(await this.#isKnown(daemon)), LIMIT_MS);
  }

  left(): Promise<void> {
    return this.clear('source');
  }

  async #reach(moment: LibvirtMoment): Promise<void> {
    this.#crawls = moment !== 'admitted' && moment !== 'prepared';
    await this.#setSpeed(this.#crawls ? CRAWL : FULL_SPEED);
    if (await this.begin(moment)) return;
    await this.world.guest.leaving();
    await until('the destination to be ready', () => this.#isReady());
    if (moment === 'copying') return;
    if (moment === 'finishing') return this.#finish();
    await this.arrive(moment);
  }

  /** The guest stands still at both ends: the destination's libvirtd is not there to let it run. */
  async #finish(): Promise<void> {
    const daemon = this.#daemon('destination');
    await daemon.pauseDaemon();
    this.whenReleased(() => daemon.continueDaemon());
    await until('its memory to be copied', () => this.#isSent(), LIMIT_MS);
  }

  /** Its agent may set it back to the speed that it had before. */
  async #isSent(): Promise<boolean> {
    await this.hurry();
    const asked = ['qemu-monitor-command', this.#uuid, '{"execute":"query-migrate"}'];
    const said = JSON.parse(await this.#daemon('source').virsh(...asked)) as {
      readonly return?: { readonly status?: string };
    };
    return said.return?.status === 'completed';
  }

  async #isReady(): Promise<boolean> {
    const { spine, owner } = this.world;
    const epoch = (await spine.port(owner))?.status.standby?.epoch;
    const told = await spine.events('StandbyReady');
    return told.some(({ data }) => data['epoch'] === epoch && data['ready'] === true);
  }

  async #setSpeed(speed: string): Promise<void> {
    await this.#daemon('source').virsh('migrate-setspeed', this.#uuid, speed);
  }

  async #isThere(): Promise<boolean> {
    const running = await this.#daemon('destination').virsh('list', '--uuid', '--state-running');
    return running.includes(this.#uuid);
  }

  async #comes(): Promise<boolean> {
    if (await this.#isThere()) return true;
    if (this.#crawls && (await this.#isKnown(this.#daemon('source')))) await this.hurry();
    return false;
  }

  async #isKnown(daemon: Libvirtd): Promise<boolean> {
    return (await daemon.virsh('list', '--uuid')).includes(this.#uuid);
  }

  #daemon(end: End): Libvirtd {
    return this.world.libvirt.at(this[end]);
  }
}
