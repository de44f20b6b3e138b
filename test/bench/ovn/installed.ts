import { type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { TABLES } from '#compiler';
import { end, start } from '../../lab/exec.js';
import { type LabHost } from '../../lab/host.js';
import { type Lab } from '../../lab/net.js';

/** What a monitor of flows says of a change, in what order ever its words come. */
const CHANGED = /event=(?:ADDED|MODIFIED|DELETED)\b/;
/** Rows that the switch learns by itself are nobody's change. */
const LEARNED = new RegExp(`table=${TABLES.ACTIVITY}\\b`);
const BEGUN = /^OFPST_FLOW_MONITOR reply/;

/**
 * A witness at every switch, which is none of ours: `ovs-ofctl monitor` tells when flows of a bridge have changed, as
 * soon as they have. A bundle is told of when it stands.
 */
export class Installed {
  readonly #children: ChildProcess[] = [];
  /** Hosts that told of a change since it was last asked. */
  readonly #seen = new Set<string>();
  #news: () => void = () => undefined;
  /** Why nothing more will be told. */
  #gone: Error | null = null;

  /** Resolves when all of them look on. */
  static async watch(lab: Lab, hosts: readonly string[], bridge: string): Promise<Installed> {
    const it = new Installed();
    try {
      for (const name of hosts) await it.#watch(lab, name, bridge);
    } catch (cause) {
      await it.stop();
      throw cause;
    }
    return it;
  }

  /** Forgets what was seen, and resolves when so many hosts have told of a change: with the time, by `performance.now`. */
  async next(hosts: number): Promise<number> {
    this.#seen.clear();
    while (this.#seen.size < hosts) {
      if (this.#gone !== null) throw this.#gone;
      await new Promise<void>((resolve) => (this.#news = resolve));
    }
    return performance.now();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.splice(0).map((child) => end(child, 'SIGKILL')));
  }

  async #watch(lab: Lab, name: string, bridge: string): Promise<void> {
    const changed = (): void => {
      this.#seen.add(name);
      this.#news();
    };
    const gone = (why: Error): void => {
      this.#gone = why;
      this.#news();
    };
    this.#children.push(await monitorFlows(lab.host(name), bridge, changed, gone));
  }
}

/** Has `ovs-ofctl` tell of changes of a bridge's flows, until it is ended; it looks on when this resolves. */
export function monitorFlows(
  host: LabHost,
  bridge: string,
  changed: () => void,
  gone: (why: Error) => void,
): Promise<ChildProcess> {
  // It tells on standard error.
  const script = 'exec ovs-ofctl -O OpenFlow15 monitor "$0" watch: 2>&1';
  const child = start(['sh', '-c', script, bridge], { stdio: 'pipe', env: { OVS_RUNDIR: host.rundir } });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      const why = new Error(`the monitor of ${host.name} ended with ${code}`);
      gone(why);
      reject(why);
    });
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (BEGUN.test(line)) resolve(child);
      if (CHANGED.test(line) && !LEARNED.test(line)) changed();
    });
  });
}
