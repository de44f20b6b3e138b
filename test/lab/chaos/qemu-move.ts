import { join } from 'node:path';
import { unwrap } from '#kernel';
import { SUBJECTS } from '#contracts';
import { type MigrationView } from '#contracts/http';
import { NatsLink, PortolanNatsClient } from '#platform';
import { credentialsPath } from '#platform/accounts';
import { type QemuRun } from '../qemu.js';
import { type LabHostName, until } from '../spine.js';
import { type Moment } from './outcomes.js';
import { type ChaosWorld, GUEST, otherHost } from './world.js';

/** A move takes less than a second by itself; the limit is for what hangs, on machines that may be busy. */
const LIMIT_MS = 120_000;
const CRAWL = 100_000;
const FULL_SPEED = 1_000_000_000;

/**
 * A move of the guest that is brought to a moment and held there: `Move.at`. Then `release` lets it go on, and does
 * what whoever runs VMs has still to do.
 */
export class Move {
  readonly source: LabHostName;
  readonly destination: LabHostName;
  /** Where the guest ran, and where it will. */
  readonly from: QemuRun;
  to: QemuRun | null = null;
  id = '';
  #isListening = false;
  #isThere = false;
  readonly #held: (() => void)[] = [];

  private constructor(
    private readonly world: ChaosWorld,
    readonly moment: Moment,
  ) {
    this.from = world.guest.run;
    this.source = this.from.host.name as LabHostName;
    this.destination = otherHost(this.source);
  }

  static async at(world: ChaosWorld, moment: Moment): Promise<Move> {
    const move = new Move(world, moment);
    await move.#reach();
    return move;
  }

  async view(): Promise<MigrationView> {
    return this.world.spine.api.migration(this.id);
  }

  /** Everything that stands still goes on; whatever was killed meanwhile has been started again. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  /** What whoever runs VMs does until the guest is at the destination, or the migration has ended otherwise. */
  async goOn(): Promise<void> {
    if (this.to === null) {
      const { finished } = await until(
        'the order to move, or an end',
        () => this.#viewAt('moving'),
        LIMIT_MS,
      );
      if (finished) return;
      await this.#plug();
    }
    if (!this.#isListening) await this.#listen();
    if (!this.#isThere) await this.hurry();
  }

  /** Copies as fast as can be. */
  async hurry(): Promise<void> {
    await this.from.qmp('migrate-set-parameters', { 'max-bandwidth': FULL_SPEED });
  }

  /** By QEMU's own word, whoever else is dead. */
  async arrived(): Promise<void> {
    await until('the guest to run at the destination', () => this.#runsThere(), LIMIT_MS);
    this.#isThere = true;
  }

  async phase(wanted: string): Promise<MigrationView> {
    const view = await until(`${this.id} to be ${wanted}`, () => this.#viewAt(wanted), LIMIT_MS);
    if (view.phase !== wanted)
      throw new Error(`${this.id} is ${view.phase}, not ${wanted}: ${storyOf(view)}`);
    return view;
  }

  /** Once it is so, or never will be. */
  async #viewAt(wanted: string): Promise<MigrationView | undefined> {
    const view = await this.view();
    return view.finished || view.phase === wanted ? view : undefined;
  }

  async #reach(): Promise<void> {
    const { moment } = this;
    if (moment === 'admitted') this.#hold(`host-agent-${this.destination}`);
    if (moment === 'prepared') this.#hold('migration-coordinator');
    await this.from.qmp('migrate-set-parameters', { 'max-bandwidth': CRAWL });
    this.id = await this.world.migrations.ask(GUEST, this.destination);
    if (moment === 'admitted') return void (await this.phase('admitted'));
    if (moment === 'prepared') return this.#propose();
    await this.phase('moving');
    await this.#plug();
    if (moment === 'plugged') return;
    await this.#listen();
    await this.#copies();
    if (moment === 'copying') return;
    this.#hold(`host-agent-${this.source}`);
    if (moment === 'arrived') this.#hold(`host-agent-${this.destination}`);
    await this.hurry();
    await this.arrived();
    if (moment === 'arrived') return;
    await this.phase('switched');
    if (moment === 'counting') await this.#countLater();
  }

  /** As the coordinator does that stands still: it would go on to the next phase at once. */
  async #propose(): Promise<void> {
    const { spine } = this.world;
    await spine.realised(this.source, this.destination);
    const { id: migration, episode } = await this.view();
    const { home, ports } = spine.cluster.options;
    const link = NatsLink.open({
      servers: [`nats://127.0.0.1:${ports.nats}`],
      name: 'a coordinator that dies half way',
      credentialsFile: credentialsPath(join(home, 'credentials'), 'coordinator'),
    });
    try {
      await link.connection();
      const evidence: Record<string, number> = {};
      for (const host of [this.source, this.destination])
        evidence[host] = (await spine.host(host)).status.realised ?? 0;
      const commandId = `migration:${migration}:${episode}:prepared`;
      const command = {
        type: 'AdvanceMigration',
        migration,
        episode,
        from: 'admitted',
        to: 'prepared',
        evidence,
      };
      const request = { v: 1, commandId, correlationId: commandId, actor: 'coordinator:half-way', command };
      const answer = await new PortolanNatsClient(link).request<{ readonly ok: boolean }>(
        SUBJECTS.command('execute'),
        request,
        { deadlineMs: 5_000 },
      );
      if (!unwrap(answer).ok) throw new Error(`refused: ${JSON.stringify(answer)}`);
    } finally {
      await link.close();
    }
    await this.phase('prepared');
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
    this.release();
    this.#held.push(() => host.continueVswitchd());
    const { spine } = this.world;
    await until('QEMU’s word', async () => {
      const said = await spine.events('HypervisorReported', `migration/${this.id}`);
      return said.some((e) => e.data['outcome'] === 'completed');
    });
  }

  #hold(process: string): void {
    const { children } = this.world.spine.cluster;
    children.signal(process, 'SIGSTOP');
    this.#held.push(() => children.signal(process, 'SIGCONT'));
  }
}

const storyOf = ({ history }: MigrationView): string =>
  history.map(({ phase, reason }) => (reason === null ? phase : `${phase} (${reason})`)).join(', ');
