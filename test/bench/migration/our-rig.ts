import { type MigrationView } from '#contracts/http';
import { type Lab, type Plug } from '../../lab/net.js';
import { type BenchCluster } from '../support/cluster.js';
import { guestsOf, other } from './guests.js';
import { AGENTS, CONTROL, Progress, WHERE, withOurCluster } from './our-cluster.js';
import { type Guests, type Way } from './trial.js';

/** Runs `work` with a cluster on the hosts of a lab, and a guest that can move. */
export const withOurRig = <T>(
  lab: Lab,
  say: (line: string) => void,
  work: (rig: OurRig) => Promise<T>,
): Promise<T> =>
  withOurCluster(lab, say, async (it) => {
    const guests = await guestsOf(lab, WHERE);
    const progress = new Progress(it.api, guests.moving.name);
    await progress.bound(2);
    return work(new OurRig(it, guests, progress));
  });

/** A guest on real switches of ours; it is moved as libvirt moves it, which nobody tells Portolan. */
export class OurRig {
  readonly name = 'ours';
  #standby!: Plug;

  constructor(
    private readonly it: BenchCluster,
    readonly guests: Guests,
    private readonly progress: Progress,
  ) {}

  get ways(): readonly Way[] {
    return [
      this.#way('ours', []),
      this.#way('ours, managers, coordinator, API and NATS stopped', CONTROL),
      this.#way('ours, these and the agents stopped', [...CONTROL, ...AGENTS]),
    ];
  }

  migrations(): Promise<readonly MigrationView[]> {
    return this.progress.all();
  }

  ledgerError(): Promise<number> {
    return this.progress.ledgerError(async () => (await this.guests.moving.received()).sent);
  }

  /** Plugged early, at both hosts. `stopped`: processes that stand still while the guest switches. */
  #way(name: string, stopped: readonly string[]): Way {
    const { moving } = this.guests;
    const signal = (how: NodeJS.Signals) => {
      for (const process of stopped) this.it.cluster.children.signal(process, how);
    };
    return {
      name,
      prepare: async () => {
        this.#standby = await moving.plugAt(other(moving));
        await this.progress.moves();
        signal('SIGSTOP');
      },
      switch: () => moving.runOn(this.#standby.inside, 1),
      finish: async () => {
        signal('SIGCONT');
        await moving.unplug(moving.pluggedAt[0]!);
        await this.progress.completed();
      },
    };
  }
}
