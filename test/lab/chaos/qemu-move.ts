import { type QemuRun } from '../qemu.js';
import { type LabHostName, until } from '../spine.js';
import { type End, LIMIT_MS, Move } from './move.js';
import { type QemuMoment } from './qemu-outcomes.js';
import { type QemuWorld } from './qemu-world.js';

const CRAWL = 100_000;
const FULL_SPEED = 1_000_000_000;

/** A move by plain QEMU: whoever runs VMs plugs the guest and starts its QEMU at the destination. */
export class QemuMove extends Move {
  /** Where the guest ran, and where it will. */
  readonly from: QemuRun;
  to: QemuRun | null = null;
  #isListening = false;
  #isThere = false;

  private constructor(protected override readonly world: QemuWorld) {
    const from = world.guest.run;
    super(world, from.host.name as LabHostName);
    this.from = from;
  }

  static async at(world: QemuWorld, moment: QemuMoment): Promise<QemuMove> {
    const move = new QemuMove(world);
    await move.#reach(moment);
    return move;
  }

  async goOn(): Promise<void> {
    if (this.to === null) {
      const { finished } = await until('the order to move, or an end', () => this.viewAt('moving'), LIMIT_MS);
      if (finished) return;
      await this.#plug();
    }
    if (!this.#isListening) await this.#listen();
    if (!this.#isThere) await this.hurry();
  }

  async hurry(): Promise<void> {
    await this.from.qmp('migrate-set-parameters', { 'max-bandwidth': FULL_SPEED });
  }

  async arrived(): Promise<void> {
    await until('the guest to run at the destination', () => this.#runsThere(), LIMIT_MS);
    this.#isThere = true;
  }

  protected override async arrive(moment: string): Promise<void> {
    await super.arrive(moment);
    // What lies unread in a tap when its switch is killed came to no switch in time: that is not what is looked at here.
    if (moment === 'arrived') await this.from.host.drained(...this.from.taps);
  }

  async kill(_qemu: string, end: End): Promise<() => Promise<void>> {
    const run = end === 'destination' ? this.to : this.from;
    if (run === null) throw new Error('there is no QEMU yet');
    await run.crash();
    return () => Promise.resolve();
  }

  async clear(end: End): Promise<void> {
    await (end === 'destination' ? this.to : this.from)?.kill();
  }

  left(): Promise<void> {
    return this.from.gone;
  }

  async #reach(moment: QemuMoment): Promise<void> {
    await this.from.qmp('migrate-set-parameters', { 'max-bandwidth': CRAWL });
    if (await this.begin(moment)) return;
    await this.#plug();
    if (moment === 'plugged') return;
    await this.#listen();
    await this.#copies();
    if (moment === 'copying') return;
    await this.arrive(moment);
    if (moment === 'counting') await this.#countLater();
  }

  async #plug(): Promise<void> {
    const { guest, spine } = this.world;
    const next = await guest.plugAt(this.destination);
    this.to = next;
    const number = await until('a port number', async () => {
      const text = await spine.lab.vsctl(this.destination, 'get', 'Interface', next.taps[0] ?? '', 'ofport');
      return Number(text) > 0 ? Number(text) : undefined;
    });
    await until('the policy at the destination', async () =>
      (await spine.flows(this.destination)).some((f) => f.includes(`in_port=${number}`)) ? true : undefined,
    );
  }

  async #listen(): Promise<void> {
    this.#isListening = true;
    await this.to?.start(this.world.guest.incoming(this.destination));
  }

  async #copies(): Promise<void> {
    await until('memory to be copied', async () => {
      const { status } = (await this.from.qmp('query-migrate')) as { readonly status?: string };
      return status === 'active';
    });
    await this.phase('moving');
  }

  async #runsThere(): Promise<boolean> {
    const look = (await this.to?.qmp('query-status')) as { readonly status?: string } | undefined;
    return look?.status === 'running';
  }

  /** The source's agent goes on, while its switch tells it nothing. */
  async #countLater(): Promise<void> {
    const host = this.from.host;
    host.pauseVswitchd();
    await this.release();
    this.whenReleased(() => host.continueVswitchd());
    const { spine } = this.world;
    await until('QEMU’s word', async () => {
      const said = await spine.events('HypervisorReported', `migration/${this.id}`);
      return said.some((e) => e.data['outcome'] === 'completed');
    });
  }
}
