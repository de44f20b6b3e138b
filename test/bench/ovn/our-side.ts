import { until } from '../../../deploy/quickstart/api.js';
import { cpuSeconds, residentMb, type BenchCluster } from '../support/cluster.js';
import { manifest } from '../support/manifest.js';
import { Sender } from '../support/one-by-one.js';
import { batch, dropping, groupsFor, port, SWITCH, withRules } from './our-manifest.js';
import { type Installed } from './installed.js';
import { tcpPort, type ChangeName, type Side } from './side.js';

/** The rule that always stands, as on the other side. */
const STANDING = 999;
const WAIT_S = 60;
const READY_MS = 240_000;

/** Ports in one request, which may have 2 MB. */
const AT_A_TIME = 2_500;

/** Portolan as clients see it: a request over HTTP that is answered when the switches carry it out, effectively. */
export class OurSide implements Side {
  readonly name = 'ours';
  installedMs: number | null = null;
  readonly #http: Sender;
  readonly #groups: readonly string[];
  #ids: readonly string[] = [];

  constructor(
    private readonly it: BenchCluster,
    private readonly hosts: readonly string[],
    portsEach: number,
    /** Processes that hosts live in, beside those of the cluster. */
    private readonly others: Readonly<Record<string, number | undefined>> = {},
    /** Absent: nobody looks on. */
    private readonly witness?: Installed,
  ) {
    this.#http = new Sender(it.cluster.api);
    this.#groups = groupsFor(portsEach);
  }

  make(change: ChangeName, n: number): Promise<void> {
    const one = this.#ids[n % this.#ids.length]!;
    const rules = [STANDING, tcpPort(n)];
    switch (change) {
      case 'rule':
        return this.apply(withRules(this.#groups, rules), this.hosts.length);
      case 'batch':
        return this.apply(withRules(this.#groups, [STANDING, ...batch(n)]), this.hosts.length);
      case 'security':
        return this.apply(withRules(this.#groups, [STANDING], false), this.hosts.length);
      case 'portRule':
        return this.apply([port(one, { filter: rules.map((tcp) => dropping(tcp)) })], 1);
      case 'portSecurity':
        return this.apply([port(one, { forgedTransmits: false })], 1);
      case 'eachRule':
        return this.override({ filter: rules.map((tcp) => dropping(tcp)) });
    }
  }

  undo(change: ChangeName, n: number): Promise<void> {
    switch (change) {
      case 'portRule':
      case 'portSecurity':
        return this.apply([port(this.#ids[n % this.#ids.length]!, {})], 1);
      case 'eachRule':
        return this.override({});
      default:
        return this.apply(withRules(this.#groups, [STANDING]), this.hosts.length);
    }
  }

  async cpu(): Promise<Readonly<Record<string, number>>> {
    const { children } = this.it.cluster;
    const used: Record<string, number> = {};
    const add = async (what: string, pid: number | undefined) =>
      void (used[what] = (used[what] ?? 0) + ((await cpuSeconds(pid)) ?? 0));
    for (const n of [1, 2]) await add('switch-manager', children.pidOf(`switch-manager-${n}`));
    for (const name of ['nats-server', 'operator-api', 'migration-coordinator'])
      await add(name, children.pidOf(name));
    for (const host of this.hosts) await add('host-agent', children.pidOf(`host-agent-${host}`));
    for (const [what, pid] of Object.entries(this.others)) await add(what, pid);
    return used;
  }

  /** The ports of the guests. */
  get ports(): readonly string[] {
    return this.#ids;
  }

  /** Kills a host's agent and starts another; it has hardly begun when this resolves. */
  async restartAgent(host: string): Promise<void> {
    await this.it.cluster.children.kill(`host-agent-${host}`);
    await this.it.cluster.startAgent(host);
  }

  /** Resident memory of a host's agent, MB. */
  memory(host: string): Promise<number | null> {
    return residentMb(this.it.cluster.children.pidOf(`host-agent-${host}`));
  }

  /** The switch and the groups, before any host has a port. */
  static async define(
    { api }: BenchCluster,
    hosts: readonly string[],
    device: string,
    portsEach: number,
  ): Promise<void> {
    const words = manifest({ hosts, switch: { name: SWITCH, hosts, device } });
    const groups = withRules(groupsFor(portsEach), [STANDING]).map((g) => JSON.stringify(g));
    await api.apply([words, ...groups].join('\n---\n'), 0);
  }

  /** Resolves when so many guests have their port. */
  async connected(count: number): Promise<void> {
    const all = async () => (await this.it.api.status()).counts.connected >= count;
    await until('the guests to be connected', all, READY_MS);
    const ids: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page = await this.it.api.ports(`?limit=1000${after === '' ? '' : `&after=${after}`}`);
      ids.push(...page.items.filter((p) => p.status.connectee !== null).map((p) => p.metadata.name));
      after = page.next ?? null;
    }
    this.#ids = ids;
  }

  close(): void {
    this.#http.close();
  }

  /** Resources, to when so many hosts have said that they carry them out. */
  async apply(resources: readonly object[], hosts: number): Promise<void> {
    const begun = performance.now();
    const installed = this.witness?.next(hosts);
    await this.#realised(resources, hosts);
    this.installedMs = installed === undefined ? null : (await installed) - begun;
  }

  /** Of every port, in as few requests as take it; each has ports of all hosts. */
  private async override(override: object): Promise<void> {
    const all = this.#ids.map((id) => port(id, override));
    const parts = Math.ceil(all.length / AT_A_TIME);
    for (let part = 0; part < parts; part++)
      await this.apply(
        all.filter((_, i) => i % parts === part),
        this.hosts.length,
      );
  }

  async #realised(resources: readonly object[], hosts: number): Promise<void> {
    const { realised } = await this.#http.send('POST', `/v1/apply?wait=${WAIT_S}`, { resources });
    if (realised?.realised !== true || realised.of !== hosts)
      throw new Error(`a change was not realised: ${JSON.stringify(realised).slice(0, 500)}`);
  }
}
