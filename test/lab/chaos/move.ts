import { join } from 'node:path';
import { unwrap } from '#kernel';
import { SUBJECTS } from '#contracts';
import { type MigrationView } from '#contracts/http';
import { NatsLink, PortolanNatsClient } from '#platform';
import { credentialsPath } from '#platform/accounts';
import { type LabHostName, until } from '../spine.js';
import { type ChaosWorld, otherHost } from './world.js';

/** A move takes less than a second by itself; the limit is for what hangs, on machines that may be busy. */
export const LIMIT_MS = 120_000;

export type End = 'source' | 'destination';

/**
 * A move of the guest that is brought to a moment and held there. Then `release` lets it go on, and `goOn` does what
 * whoever runs VMs has still to do.
 */
export abstract class Move {
  readonly destination: LabHostName;
  id = '';
  readonly #held: (() => unknown)[] = [];

  protected constructor(
    protected readonly world: ChaosWorld,
    readonly source: LabHostName,
  ) {
    this.destination = otherHost(source);
  }

  /** Until the guest is at the destination, or the migration has ended otherwise. */
  abstract goOn(): Promise<void>;
  /** Copies as fast as can be. */
  abstract hurry(): Promise<void>;
  /** By the hypervisor's own word, whoever else is dead. */
  abstract arrived(): Promise<void>;
  /** Kills a part of the hypervisor at once; gives what a supervisor does then. */
  abstract kill(what: string, end: End): Promise<() => Promise<void>>;
  /** Nothing of the guest is at that end any more when this resolves: whoever runs VMs takes away what waits in vain. */
  abstract clear(end: End): Promise<void>;
  /** Resolves when the guest has left the source, with all that it had there. */
  abstract left(): Promise<void>;

  async view(): Promise<MigrationView> {
    return this.world.spine.api.migration(this.id);
  }

  /** Everything that stands still goes on; whatever was killed meanwhile has been started again. */
  async release(): Promise<void> {
    await Promise.all(this.#held.splice(0).map((go) => go()));
  }

  /** Resolves when it is one of these. */
  async phase(...wanted: readonly string[]): Promise<MigrationView> {
    const look = async () => {
      const view = await this.view();
      if (view.finished || wanted.includes(view.phase)) return view;
      throw new Error(storyOf(view));
    };
    const phases = wanted.join(' or ');
    const view = await until(`${this.id} to be ${phases}`, look, LIMIT_MS);
    if (!wanted.includes(view.phase))
      throw new Error(`${this.id} is ${view.phase}, not ${phases}: ${storyOf(view)}`);
    return view;
  }

  /** Once it is so, or never will be. */
  protected async viewAt(wanted: string): Promise<MigrationView | undefined> {
    const view = await this.view();
    return view.finished || view.phase === wanted ? view : undefined;
  }

  /** Asks for it, and holds it where only the services stand between: true if that is the moment. */
  protected async begin(moment: string): Promise<boolean> {
    const { destination, world } = this;
    if (moment === 'admitted') this.hold(`host-agent-${destination}`);
    if (moment === 'prepared') this.hold('migration-coordinator');
    this.id = await world.migrations.ask(world.owner, destination);
    if (moment === 'admitted') await this.phase('admitted');
    else if (moment === 'prepared') await this.#propose();
    else await this.phase('moving');
    return moment === 'admitted' || moment === 'prepared';
  }

  /** Nobody tells that the guest has arrived; at *switched* the destination does, and the source does not. */
  protected async arrive(moment: string): Promise<void> {
    this.hold(`host-agent-${this.source}`);
    if (moment === 'arrived') this.hold(`host-agent-${this.destination}`);
    await this.hurry();
    await this.arrived();
    if (moment !== 'arrived') await this.phase('switched');
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

  /** A service stands still until `release`. */
  protected hold(process: string): void {
    const { children } = this.world.spine.cluster;
    children.signal(process, 'SIGSTOP');
    this.whenReleased(() => children.signal(process, 'SIGCONT'));
  }

  protected whenReleased(go: () => unknown): void {
    this.#held.push(go);
  }
}

const storyOf = ({ history }: MigrationView): string =>
  history.map(({ phase, reason }) => (reason === null ? phase : `${phase} (${reason})`)).join(', ');
