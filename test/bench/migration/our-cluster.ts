import {
  type ListOf,
  type MigrationDescription,
  type MigrationView,
  type WriteResult,
} from '#contracts/http';
import { bridgeName } from '#compiler';
import { type Api, until } from '../../../deploy/quickstart/api.js';
import { type Lab } from '../../lab/net.js';
import { onSwitch } from '../../lab/on-switch.js';
import { withCluster, type BenchCluster } from '../support/cluster.js';
import { manifest } from '../support/manifest.js';
import { at } from '../support/phases.js';
import { FAR, HOSTS } from './guests.js';

export const SWITCH = 'prod';
export const GROUP = 'web';

/** Where guests are plugged. */
export const WHERE = { bridge: bridgeName(SWITCH), profile: GROUP };

/** Until the counters of a host have been told. */
const COUNTED_MS = 10_000;

/** Everything but the agents: who decides that and where a guest moves. */
export const CONTROL = [
  'switch-manager-1',
  'switch-manager-2',
  'migration-coordinator',
  'operator-api',
  'nats-server',
];
export const AGENTS = [...HOSTS, FAR].map((name) => `host-agent-${name}`);

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

  /** Asks for one. */
  async begin(destination: string): Promise<void> {
    const { owner } = this;
    await this.api.send<WriteResult>('POST', '/v1/migrations', { owner, destination });
  }

  /** The first one first. */
  async all(): Promise<readonly MigrationView[]> {
    const path = `/v1/migrations?owner=${this.owner}&limit=1000`;
    const { items } = await this.api.get<ListOf<MigrationView>>(path);
    return items.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  /** Of each: for how long the guest stood still, as its hypervisor told it, ms; null: it did not. */
  async pauses(): Promise<readonly (number | null)[]> {
    const told: (number | null)[] = [];
    for (const { id } of await this.all())
      told.push((await this.api.get<MigrationDescription>(`/v1/migrations/${id}`)).pauseMs);
    return told;
  }

  /** What the ledger counts less than was sent (more: negative), once it has had its time. */
  async ledgerError(sentBy: () => Promise<number>): Promise<number> {
    const port = await this.#port();
    let error = NaN;
    const agrees = async () => {
      const sent = await sentBy();
      error = sent - (await this.api.stats(port)).in.packets;
      return error === 0;
    };
    try {
      await until('the ledger to agree', agrees, COUNTED_MS);
    } catch {
      // What does not agree by then is the result.
    }
    return error;
  }

  /** What the switch where the guest is has lost since it came there, before it could be counted. */
  async lost(): Promise<number> {
    return (await this.api.stats(await this.#port())).lost ?? NaN;
  }

  async #port(): Promise<string> {
    const { items } = await this.api.ports(`?owner=${this.owner}`);
    return items[0]?.metadata.name ?? '';
  }

  /** What did not happen is told with how the last migration stands. */
  async orWhy<T>(happening: Promise<T>): Promise<T> {
    try {
      return await happening;
    } catch (cause) {
      throw new Error(`${String(cause)}: the migration is ${JSON.stringify((await this.all()).at(-1))}`);
    }
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

  /** When policy stood at both ends, ms since the epoch, of a move that was asked for just now. */
  async preparedAt(): Promise<number> {
    const last = await until('the migration to be prepared', async () => {
      const found = (await this.all()).at(-1);
      return found?.finished === false && Number.isFinite(at(found, 'prepared')) && found;
    });
    return at(last, 'prepared');
  }

  /** The guest stays. */
  async abort(): Promise<void> {
    const id = (await this.all()).at(-1)?.id;
    await this.api.send('POST', `/v1/migrations/${id}/abort`, { reason: 'it was only prepared' });
    await until('the migration to end', async () => (await this.api.migration(id ?? '')).finished);
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
