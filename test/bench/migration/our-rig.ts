import { type ListOf, type MigrationView } from '#contracts/http';
import { bridgeName } from '#compiler';
import { type Api, until } from '../../../deploy/quickstart/api.js';
import { type Lab, type Plug } from '../../lab/net.js';
import { withCluster, type BenchCluster } from '../support/cluster.js';
import { manifest } from '../support/manifest.js';
import { FAR, guestsOf, HOSTS, other } from './guests.js';
import { type Guests, type Way } from './trial.js';

const SWITCH = 'prod';
const GROUP = 'web';
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
export function withOurRig<T>(
  lab: Lab,
  say: (line: string) => void,
  work: (rig: OurRig) => Promise<T>,
): Promise<T> {
  const hosts = [...HOSTS, FAR];
  const plans = hosts.map((name) => ({
    name,
    env: {
      PORTOLAN_DRIVER: 'openvswitch',
      PORTOLAN_OVS_RUNDIR: lab.host(name).rundir,
      PORTOLAN_OVS_DATAPATH: 'netdev',
      PORTOLAN_NETNS: lab.host(name).netns,
      PORTOLAN_TELEMETRY_MS: '500',
    },
  }));
  return withCluster({ say, hosts: () => plans }, async (it) => {
    const group = { name: GROUP, switch: SWITCH, policy: { vlan: { mode: 'access', id: 10 } } };
    const words = manifest({ hosts, switch: { name: SWITCH, hosts, device: 'up0' }, groups: [group] });
    await it.api.apply(words);
    for (const name of hosts)
      await until(`the bridge of ${name}`, () => lab.host(name).ofctl('show', bridgeName(SWITCH)));
    const guests = await guestsOf(lab, { bridge: bridgeName(SWITCH), profile: GROUP });
    const rig = new OurRig(it, guests);
    await rig.bound();
    return work(rig);
  });
}

/** A guest on real switches of ours; it is moved as libvirt moves it, which nobody tells Portolan. */
export class OurRig {
  readonly name = 'ours';
  #standby!: Plug;

  constructor(
    private readonly it: BenchCluster,
    readonly guests: Guests,
  ) {}

  /** Plugged early, at both hosts. `stopped`: processes that stand still while the guest switches. */
  private way(name: string, stopped: readonly string[]): Way {
    const { moving } = this.guests;
    const signal = (how: NodeJS.Signals) => {
      for (const process of stopped) this.it.cluster.children.signal(process, how);
    };
    return {
      name,
      prepare: async () => {
        this.#standby = await moving.plugAt(other(moving));
        await this.#moves();
        signal('SIGSTOP');
      },
      switch: () => moving.runOn(this.#standby.inside, 1),
      finish: async () => {
        signal('SIGCONT');
        await moving.unplug(moving.pluggedAt[0]!);
        await this.#completed();
      },
    };
  }

  get ways(): readonly Way[] {
    return [
      this.way('ours', []),
      this.way('ours, managers, coordinator, API and NATS stopped', CONTROL),
      this.way('ours, these and the agents stopped', [...CONTROL, ...AGENTS]),
    ];
  }

  /** All of the guest's, the first one first. */
  async migrations(): Promise<readonly MigrationView[]> {
    const path = `/v1/migrations?owner=${this.guests.moving.name}&limit=1000`;
    const { items } = await this.#api.get<ListOf<MigrationView>>(path);
    return items.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  /** What the ledger counts less than the guest sent (more: negative), once it has had its time. */
  async ledgerError(): Promise<number> {
    const { sent } = await this.guests.moving.received();
    const { items } = await this.#api.ports(`?owner=${this.guests.moving.name}`);
    const port = items[0]?.metadata.name ?? '';
    let counted = NaN;
    const agrees = async () => (counted = (await this.#api.stats(port)).in.packets) === sent;
    try {
      await until('the ledger to agree', agrees, COUNTED_MS);
    } catch {
      // What does not agree by then is the result.
    }
    return sent - counted;
  }

  /** Resolves when both guests have their ports. */
  async bound(): Promise<void> {
    await until('the guests to be bound', async () => (await this.#api.status()).counts.connected === 2);
    await this.#realised();
  }

  get #api(): Api {
    return this.it.api;
  }

  async #latest(): Promise<MigrationView | undefined> {
    return (await this.migrations()).at(-1);
  }

  /** Policy is at the destination, and the source armed. */
  async #moves(): Promise<void> {
    await until('the migration to be seen', async () => {
      const found = await this.#latest();
      return found?.finished === false && found.phase === 'moving';
    });
    await this.#realised();
  }

  async #completed(): Promise<void> {
    const done = await until('the migration to end', async () => {
      const found = await this.#latest();
      return found?.finished === true ? found : undefined;
    });
    if (done.phase !== 'completed') throw new Error(`the migration is ${JSON.stringify(done)}`);
    await this.#realised();
  }

  async #realised(): Promise<void> {
    const { revision } = await this.#api.status();
    await until(`revision ${revision} to be realised`, async () =>
      (await this.#api.hosts()).items.every((h) => (h.status.realised ?? -1) >= revision),
    );
  }
}
