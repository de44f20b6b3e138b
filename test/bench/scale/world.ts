import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuSeconds, residentMb, type BenchCluster } from '../support/cluster.js';
import { dropping, manifest } from '../support/manifest.js';
import { untilAccepted, untilRealised } from '../support/until.js';
import { DEVICE, groupNames, hostName, NARROW, shapes, SWITCH, vlanOf, type ScaleSize } from './plan.js';
import { type Swarm } from './swarm-processes.js';

const SERVICES = [
  'nats-server',
  'switch-manager-1',
  'switch-manager-2',
  'operator-api',
  'migration-coordinator',
];
/** What goes in one manifest: commands have to fit in one message. */
const AT_A_TIME = 250;

type PerProcess = Readonly<Record<string, number | null>>;

/** The cluster under measurement and what has been done to it so far. */
export class ScaleWorld {
  /** Hosts that are up, and those that are defined. */
  up = 0;
  defined = 0;
  private changes = 0;

  constructor(
    readonly it: BenchCluster,
    readonly swarm: Swarm,
    readonly size: ScaleSize,
    readonly health: readonly number[],
    readonly say: (line: string) => void,
  ) {}

  /** Defines the hosts up to `to`, their groups, and the switch over all of them. */
  async define(to: number): Promise<void> {
    const { api } = this.it;
    const fresh = shapes(this.size, this.defined, to);
    const hosts = fresh.map((h) => h.name);
    const known = this.defined > 0 ? new Set(groupNames(shapes(this.size, 0, this.defined))) : new Set();
    const groups = groupNames(fresh).filter((name) => !known.has(name));
    for (const part of inParts(hosts)) await api.apply(manifest({ hosts: part }), 0);
    this.defined = to;
    await api.apply(this.switchText({}), 0);
    for (const part of inParts(groups))
      await api.apply(manifest({ groups: part.map((name) => group(name, 0)) }), 0);
  }

  switchText(policy: object): string {
    const hosts = Array.from({ length: this.defined }, (_, number) => hostName(number));
    return manifest({ switch: { name: SWITCH, hosts, device: DEVICE, policy } });
  }

  /** ms from the request until all `hosts` that have the group carry its next change out. */
  change(name: string, hosts: number): Promise<number> {
    return this.realised(this.next(name), hosts);
  }

  realised(text: string, hosts: number): Promise<number> {
    return untilRealised(this.it.cluster.api, `scale-${(this.changes += 1)}`, text, hosts);
  }

  /** ms from the request until the next change of a group stands in the log. */
  accepted(name: string): Promise<number> {
    const text = this.next(name);
    return untilAccepted(this.it.cluster.api, `scale-${this.changes}`, text);
  }

  next(name: string): string {
    this.changes += 1;
    return manifest({ groups: [group(name, this.changes)] });
  }

  cpu = (): Promise<PerProcess> => this.each(cpuSeconds);
  resident = (): Promise<PerProcess> => this.each(residentMb);

  /** On disk, MB, by stream. */
  async streams(): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    const root = join(this.it.home, 'nats', 'data', 'jetstream');
    for (const account of await readdir(root)) {
      const streams = join(root, account, 'streams');
      for (const name of await readdir(streams).catch(() => []))
        found[name] = Math.round((await bytesIn(join(streams, name))) / 1e5) / 10;
    }
    return found;
  }

  private async each(ask: (pid: number | undefined) => Promise<number | null>): Promise<PerProcess> {
    const found: Record<string, number | null> = {};
    for (const name of SERVICES) found[name] = await ask(this.it.cluster.children.pidOf(name));
    for (const [i, child] of this.swarm.children.entries()) found[`hosts-${i + 1}`] = await ask(child.pid);
    return found;
  }
}

/** CPU between two readings, ms by process. */
export function cpuBetween(before: PerProcess, after: PerProcess, share = 1): Record<string, number> {
  const used = Object.keys(after).map((name) => {
    const seconds = (after[name] ?? NaN) - (before[name] ?? NaN);
    return [name, Math.round((seconds * 1000) / share)] as const;
  });
  return Object.fromEntries(used);
}

const group = (name: string, n: number) => ({
  name,
  switch: SWITCH,
  ports: 0,
  policy: { ...dropping(n % 60_000), vlan: { mode: 'access', id: name === NARROW ? 5 : vlanOf(name) } },
});

function inParts<T>(all: readonly T[]): T[][] {
  const parts = Math.ceil(all.length / AT_A_TIME);
  return Array.from({ length: parts }, (_, i) => all.slice(i * AT_A_TIME, (i + 1) * AT_A_TIME));
}

async function bytesIn(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    // Files come and go while the server compacts.
    bytes += entry.isDirectory()
      ? await bytesIn(path)
      : await stat(path).then(
          (s) => s.size,
          () => 0,
        );
  }
  return bytes;
}
