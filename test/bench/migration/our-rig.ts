import { type MigrationView } from '#contracts/http';
import { until } from '../../../deploy/quickstart/api.js';
import { type Lab, type Plug } from '../../lab/net.js';
import { type BenchCluster } from '../support/cluster.js';
import { FAR, guestsOf, HOSTS, other } from './guests.js';
import { Progress, WHERE, withOurCluster } from './our-cluster.js';
import { type Guests, type Way } from './trial.js';

/** Until the counters of a host have been told. */
const COUNTED_MS = 10_000;

/** Everything but the agents: who decides that and where a guest moves. */
const CONTROL = [
  'switch-manager-1',
  'switch-manager-2',
  'migration-coordinator',
  'operator-api',
  'nats-server',
];
const AGENTS = [...HOSTS, FAR].map((name) => `host-agent-${name}`);

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

  /** What the ledger counts less than the guest sent (more: negative), once it has had its time. */
  async ledgerError(): Promise<number> {
    const { moving } = this.guests;
    const { sent } = await moving.received();
    const { items } = await this.it.api.ports(`?owner=${moving.name}`);
    const port = items[0]?.metadata.name ?? '';
    let counted = NaN;
    const agrees = async () => (counted = (await this.it.api.stats(port)).in.packets) === sent;
    try {
      await until('the ledger to agree', agrees, COUNTED_MS);
    } catch {
      // What does not agree by then is the result.
    }
    return sent - counted;
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
