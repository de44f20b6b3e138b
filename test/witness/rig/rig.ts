import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyWorld } from '../cases/worlds.js';
import { type Desired } from '#compiler';
import { documentsOf } from './documents.js';
import { RigHost, type Cabling } from './rig-host.js';

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

/** `lan` is on all hosts, with one, two or three uplinks; `inner` has none and `edge` one, each on one host. */
export const CABLINGS: readonly Cabling[] = [
  {
    name: 'a',
    guests: { lan: names('g', 5), inner: names('s', 2) },
    uplinks: { lan: names('up', 2), inner: [] },
  },
  {
    name: 'b',
    guests: { lan: names('g', 5), edge: names('s', 2) },
    uplinks: { lan: names('up', 3), edge: ['out1'] },
  },
  { name: 'c', guests: { lan: names('g', 5) }, uplinks: { lan: names('up', 1) } },
];

/** Hosts with a real Open vSwitch each. What connects them is not here: who uses the rig carries frames itself. */
export class Rig {
  private constructor(
    private readonly dir: string,
    readonly hosts: ReadonlyMap<string, RigHost>,
  ) {}

  /** With all bridges and all devices, and no port. */
  static async start(): Promise<Rig> {
    const dir = await mkdtemp(join(tmpdir(), 'ptl-'));
    const started = await Promise.allSettled(
      CABLINGS.map((cabling) =>
        RigHost.start(`ptl-${process.pid}-w${cabling.name}`, join(dir, cabling.name), cabling),
      ),
    );
    const hosts = started.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []));
    const rig = new Rig(dir, new Map(hosts.map((host) => [host.cabling.name, host])));
    try {
      for (const s of started) if (s.status === 'rejected') throw s.reason;
      for (const [name, host] of rig.hosts) await host.plug(rig.empty(name));
      return rig;
    } catch (cause) {
      await rig.stop();
      throw cause;
    }
  }

  host(name: string): RigHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`the rig has no host ${name}`);
    return host;
  }

  /** What a host carries out that has its bridges and no port. */
  empty(name: string): Desired {
    const world = emptyWorld(CABLINGS);
    const spec = world.hosts.find((host) => host.name === name);
    if (spec === undefined) throw new Error(`the rig has no host ${name}`);
    return documentsOf(world, spec);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((host) => host.stop()));
    await rm(this.dir, { recursive: true, force: true });
  }
}
