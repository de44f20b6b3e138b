import { type ListOf, type MigrationView } from '#contracts/http';
import { bridgeName } from '#compiler';
import { type Api, until } from '../../../deploy/quickstart/api.js';
import { type Lab } from '../../lab/net.js';
import { onSwitch } from '../../lab/on-switch.js';
import { withCluster, type BenchCluster } from '../support/cluster.js';
import { manifest } from '../support/manifest.js';
import { FAR, HOSTS } from './guests.js';

const SWITCH = 'prod';
const GROUP = 'web';

/** Where guests are plugged. */
export const WHERE = { bridge: bridgeName(SWITCH), profile: GROUP };

/** Runs `work` with a cluster on the hosts of a lab, and a switch over them. `env` adds to that of each host's agent. */
export function withOurCluster<T>(
  lab: Lab,
  say: (line: string) => void,
  work: (it: BenchCluster) => Promise<T>,
  env: (host: string) => NodeJS.ProcessEnv = () => ({}),
): Promise<T> {
  const hosts = [...HOSTS, FAR];
  const plans = hosts.map((name) => ({
    name,
    env: {
      ...onSwitch(lab.host(name)),
      PORTOLAN_NETNS: lab.host(name).netns,
      PORTOLAN_TELEMETRY_MS: '500',
      ...env(name),
    },
  }));
  return withCluster({ say, hosts: () => plans }, async (it) => {
    const group = { name: GROUP, switch: SWITCH, policy: { vlan: { mode: 'access', id: 10 } } };
    const words = manifest({ hosts, switch: { name: SWITCH, hosts, device: 'up0' }, groups: [group] });
    await it.api.apply(words);
    for (const name of hosts)
      await until(`the bridge of ${name}`, () => lab.host(name).ofctl('show', WHERE.bridge));
    return work(it);
  });
}

/** How one guest's migrations go, as clients see it. */
export class Progress {
  constructor(
    private readonly api: Api,
    private readonly owner: string,
  ) {}

  /** The first one first. */
  async all(): Promise<readonly MigrationView[]> {
    const path = `/v1/migrations?owner=${this.owner}&limit=1000`;
    const { items } = await this.api.get<ListOf<MigrationView>>(path);
    return items.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  /** So many guests have their ports. */
  async bound(guests: number): Promise<void> {
    await until('the guests to be bound', async () => (await this.api.status()).counts.connected === guests);
    await this.realised();
  }

  /** Policy is at the destination, and the source armed. */
  async moves(): Promise<void> {
    await until('the migration to be under way', async () => {
      const found = (await this.all()).at(-1);
      return found?.finished === false && found.phase === 'moving';
    });
    await this.realised();
  }

  async completed(): Promise<void> {
    let last: MigrationView | undefined;
    const ended = async () => (last = (await this.all()).at(-1))?.finished;
    await until('the migration to end', ended).catch(() => undefined);
    if (last?.phase !== 'completed') throw new Error(`the migration is ${JSON.stringify(last)}`);
    await this.realised();
  }

  /** What the log holds now is carried out on every host. */
  async realised(): Promise<void> {
    const { revision } = await this.api.status();
    await until(`revision ${revision} to be realised`, async () =>
      (await this.api.hosts()).items.every((h) => (h.status.realised ?? -1) >= revision),
    );
  }
}
