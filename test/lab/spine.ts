import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import {
  type EventList,
  type EventView,
  type HostView,
  type PortDescription,
  type PortStats,
  type PortView,
} from '#contracts/http';
import { Api, until } from '../../deploy/quickstart/api.js';
import { Cluster } from '../../deploy/quickstart/cluster.js';
import { freePorts } from '../../deploy/quickstart/ports.js';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { ensureBuild } from '../../deploy/setup/build.js';
// @ts-expect-error: as above.
import { findNatsServer } from '../../deploy/setup/nats-server.js';
import { Lab, type LabVm, type VmOptions } from './net.js';
import { onSwitch } from './on-switch.js';

export { until };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const HOSTS = ['north', 'south'] as const;
export type LabHostName = (typeof HOSTS)[number];

/** The bridge that stands for switch `lan` on every host. */
export const BRIDGE = 'pt-lan';

/** Both hosts on one switch, with a group a VLAN; `web` lets its ports override everything. */
const BASE = `
apiVersion: portolan.dev/v1
kind: Host
metadata: { name: north }
spec: {}
---
apiVersion: portolan.dev/v1
kind: Host
metadata: { name: south }
spec: {}
---
apiVersion: portolan.dev/v1
kind: DistributedSwitch
metadata: { name: lan }
spec:
  uplinks: [uplink1]
  members:
    north: { uplink1: up0 }
    south: { uplink1: up0 }
---
${group('web', { vlan: { mode: 'access', id: 10 } })}
---
${group('db', { vlan: { mode: 'access', id: 20 } })}
`;

/** A port group of switch `lan` as a document. */
export function group(name: string, policy: object): string {
  return `apiVersion: portolan.dev/v1
kind: PortGroup
metadata: { name: ${name} }
spec:
  switch: lan
  ports: 4
  autoExpand: true
  overridable: [blocked, shapingIn, shapingOut, filter]
  policy: ${JSON.stringify(policy)}
`;
}

/**
 * The whole of it: two hosts with a real Open vSwitch each and a fabric, and the real services as processes: two
 * managers, coordinator, API, nats-server, an agent a host. Seen from outside: HTTP, the switches' own tools, packets.
 */
export class Spine {
  /** Processes that ended unasked. */
  readonly deaths: string[] = [];
  #nextMac = 1;

  private constructor(
    readonly lab: Lab,
    private started: Cluster | null,
  ) {}

  /** `env` adds to the environment of a host's agent. */
  static async start(env: (host: LabHostName, lab: Lab) => NodeJS.ProcessEnv = () => ({})): Promise<Spine> {
    await ensureBuild();
    const spine = new Spine(await Lab.create({ hosts: HOSTS }), null);
    try {
      await spine.#cluster(env);
      await until('a leader', async () => (await spine.api.status()).leader !== null);
      await spine.api.apply(BASE);
      return spine;
    } catch (cause) {
      await spine.stop();
      throw cause;
    }
  }

  get cluster(): Cluster {
    if (this.started === null) throw new Error('the cluster is not started');
    return this.started;
  }

  get api(): Api {
    return new Api(this.cluster.api);
  }

  /** Takes all down. The services' logs are copied to the directory PORTOLAN_LAB_LOGS, if that is set. */
  async stop(): Promise<void> {
    const keep = process.env['PORTOLAN_LAB_LOGS'];
    try {
      await this.started?.stop();
      if (keep !== undefined && this.started !== null)
        await cp(this.started.children.logDir, keep, { recursive: true });
    } finally {
      await this.lab.destroy();
    }
  }

  /** A guest that is plugged, bound and carried out: what it sends from now on is counted. */
  async guest(
    host: LabHostName,
    name: string,
    profile: string,
    more: Partial<VmOptions> = {},
  ): Promise<LabVm> {
    const n = this.#nextMac++;
    const mac = `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
    const ip = `10.0.0.${n}`;
    const vm = await this.lab.addVm(host, {
      bridge: BRIDGE,
      name,
      mac,
      ip,
      ifaceId: `${name}-eth0`,
      profile,
      ...more,
    });
    await this.bound(name, host);
    return vm;
  }

  /** The owner's port, once it is active on this host and the host has carried that out. */
  async bound(owner: string, host: LabHostName): Promise<PortView> {
    const port = await until(`${owner} to be bound on ${host}`, async () => {
      const found = await this.port(owner);
      return found?.status.active?.host === host ? found : undefined;
    });
    await this.realised(host);
    return port;
  }

  async port(owner: string): Promise<PortView | undefined> {
    return (await this.api.ports(`?owner=${owner}`)).items[0];
  }

  async portId(owner: string): Promise<string> {
    const id = (await this.port(owner))?.metadata.name;
    if (id === undefined) throw new Error(`${owner} has no port`);
    return id;
  }

  /** Waits until these hosts have carried out everything that the log holds now. */
  async realised(...hosts: readonly LabHostName[]): Promise<void> {
    const { revision } = await this.api.status();
    for (const host of hosts) {
      await until(`${host} to realise ${revision}`, async () => {
        const { realised } = (await this.host(host)).status;
        return realised !== null && realised >= revision;
      });
    }
  }

  /** The agent of a host is ended and runs with other settings; undefined: no such setting. */
  async configure(host: LabHostName, env: NodeJS.ProcessEnv): Promise<void> {
    const plan = this.cluster.options.hosts.find(({ name }) => name === host);
    Object.assign(plan?.env ?? {}, env);
    await this.cluster.children.kill(`host-agent-${host}`);
    await this.cluster.startAgent(host);
  }

  /** The agent of a host ends as it was told to, and another run begins. */
  async restartAgent(host: LabHostName): Promise<void> {
    const { children } = this.cluster;
    const name = `host-agent-${host}`;
    children.signal(name, 'SIGTERM');
    await until(`${name} to end`, async () => children.pidOf(name) === undefined || undefined);
    await this.cluster.startAgent(host);
  }

  host(name: LabHostName): Promise<HostView> {
    return this.api.get(`/v1/hosts/${name}`);
  }

  /** Sets the overrides of a port and waits until they are effective. */
  async override(owner: string, override: object): Promise<void> {
    const path = `/v1/ports/${await this.portId(owner)}/override?wait=20`;
    const result = await this.api.send<{ realised?: { realised: boolean } }>('PUT', path, { override });
    if (result.realised?.realised !== true) throw new Error(`not realised: ${JSON.stringify(result)}`);
  }

  async stats(owner: string): Promise<PortStats> {
    return this.api.stats(await this.portId(owner));
  }

  async events(type: string, object?: string): Promise<readonly EventView[]> {
    const of = object === undefined ? '' : `&object=${encodeURIComponent(object)}`;
    return (await this.api.get<EventList>(`/v1/events?type=${type}&limit=1000${of}`)).items;
  }

  /** Flows of the bridge as `ovs-ofctl` tells them, without what changes by itself; sorted. */
  async flows(host: LabHostName): Promise<readonly string[]> {
    const text = await this.lab.ofctl(host, '--no-stats', 'dump-flows', BRIDGE);
    const lines = text.split('\n').map((line) => line.trim());
    return lines.filter((line) => line.includes('actions=')).sort();
  }

  /** The same, whichever run of the agent wrote them: its round is in the cookie. */
  async meaning(host: LabHostName): Promise<readonly string[]> {
    const flows = await this.flows(host);
    return flows.map((f) => f.replace(/cookie=0x(5e7[01])[0-9a-f]{4}/, 'cookie=0x$1____')).sort();
  }

  /** Everything that is known of a port. */
  async describe(owner: string): Promise<PortDescription> {
    return this.api.get(`/v1/ports/${await this.portId(owner)}`);
  }

  async #cluster(env: (host: LabHostName, lab: Lab) => NodeJS.ProcessEnv): Promise<void> {
    const home = join(this.lab.workdir, 'cluster');
    await mkdir(home, { recursive: true });
    const [nats = 0, api = 0] = await freePorts(2);
    this.started = await Cluster.start({
      home,
      dist: join(ROOT, 'dist'),
      natsServer: findNatsServer() as string,
      ports: { nats, api },
      hosts: HOSTS.map((name) => ({
        name,
        env: {
          ...onSwitch(this.lab.host(name)),
          PORTOLAN_NETNS: this.lab.host(name).netns,
          PORTOLAN_TELEMETRY_MS: '200',
          PORTOLAN_AUDIT_MS: '1000',
          ...env(name, this.lab),
        },
      })),
      env: { 'operator-api': { PORTOLAN_HISTORY_STEP_MS: '200' } },
      say: () => undefined,
      onDeath: (name, how, log) => this.deaths.push(`${name} ended (${how}); its log is ${log}`),
    });
  }
}

/** Frames that arrived at `to` of those that `from` sends just now: all of them, or all that the switches let through. */
export async function exchange(
  from: LabVm,
  to: LabVm,
  options: {
    readonly count?: number;
    readonly pps?: number;
    readonly dstPort?: number;
    readonly srcMac?: string;
  } = {},
): Promise<number> {
  const before = (await to.receivedFrom(from)).count;
  const { count = 50, pps = 1_000 } = options;
  await from.send({ to, count, pps, ...options });
  return (await arrivals(from, to, before + count)) - before;
}

/**
 * Frames of the stream counted at `to`: at once when there are `wanted`, else when the switches on the way have dealt
 * with what was sent, and then none has come for a while.
 */
export async function arrivals(from: LabVm, to: LabVm, wanted: number): Promise<number> {
  let seen = (await to.receivedFrom(from)).count;
  let drained = false;
  for (let quiet = 0; seen < wanted && !(drained && quiet >= QUIET);) {
    if (quiet >= QUIET) {
      for (const { host, outside } of from.pluggedAt) await host.drained(outside);
      for (const { host } of to.pluggedAt) await host.drained(...host.uplinks);
      [drained, quiet] = [true, 0];
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
    const now = (await to.receivedFrom(from)).count;
    [drained, quiet] = now === seen ? [drained, quiet + 1] : [false, 0];
    seen = now;
  }
  return seen;
}

/** Readings in a row that find nothing new. */
const QUIET = 4;
