import { type ChildProcess } from 'node:child_process';
import { end } from '../../lab/exec.js';
import { type LabHost } from '../../lab/host.js';
import { monitorFlows } from '../ovn/installed.js';
import { makeDevices, plug, type PortPlan } from '../ovn/ports.js';
import { pause } from '../support/until.js';

/** Nothing changed for so long: it is over. */
const QUIET_MS = 500;
const LONGEST_MS = 60_000;

/** Plugs ports into a bridge, and is told by `ovs-ofctl monitor`, which is nobody's, when its flows have changed. */
export class Plugger {
  #child: ChildProcess | undefined;
  #last = 0;
  #gone: Error | undefined;

  private constructor(
    readonly host: LabHost,
    readonly bridge: string,
    private readonly ids: (port: PortPlan) => Readonly<Record<string, string>>,
  ) {}

  static async on(
    host: LabHost,
    bridge: string,
    ids: (port: PortPlan) => Readonly<Record<string, string>>,
  ): Promise<Plugger> {
    const it = new Plugger(host, bridge, ids);
    const changed = (): void => void (it.#last = performance.now());
    it.#child = await monitorFlows(host, bridge, changed, (why) => (it.#gone = why));
    return it;
  }

  /** From the plugging to the last change of flows that came of it, ms; the devices are there before. */
  async plug(ports: readonly PortPlan[]): Promise<number> {
    await makeDevices(this.host, ports);
    await this.quiet();
    const all = (await this.#heard()) + ports.length;
    const begun = performance.now();
    await plug(this.host, this.bridge, ports, this.ids, false);
    for (;;) {
      const last = await this.quiet();
      if ((await this.#heard()) >= all) return last - begun;
      if (performance.now() - begun > LONGEST_MS) throw new Error(`no flows of ${ports.length} new ports`);
    }
  }

  async unplug(ports: readonly PortPlan[]): Promise<void> {
    for (const { device } of ports) await this.host.exec('ip', 'link', 'del', device);
    const words = ports.flatMap(({ device }) => ['--', '--if-exists', 'del-port', this.bridge, device]);
    await this.host.vsctl(...words.slice(1));
    await this.quiet();
  }

  /** Flows of the first table that are of one port: on both sides each port that is connected has one at least. */
  async #heard(): Promise<number> {
    return (await this.host.ofctl('dump-flows', this.bridge, 'table=0')).split('in_port=').length - 1;
  }

  async close(): Promise<void> {
    if (this.#child) await end(this.#child, 'SIGKILL');
  }

  /** Resolves when no flow has changed for a while, with when the last one did. */
  async quiet(): Promise<number> {
    for (let rest = QUIET_MS; rest > 0; rest = this.#last + QUIET_MS - performance.now()) {
      await pause(rest);
      if (this.#gone !== undefined) throw this.#gone;
    }
    return this.#last;
  }
}
