import { type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type Lab, until } from '../../lab/net.js';
import { cpuSeconds } from '../support/cluster.js';
import { OvnCentral } from './central.js';
import { BRIDGE, startController, stopController } from './controller.js';
import { plug, portsOf, type PortPlan } from './ports.js';
import { GROUP, standingRule, SWITCH, wordsOf } from './ovn-words.js';
import { type ChangeName, type Side } from './side.js';

/** So many words of ovn-nbctl in one request while ports are made. */
const AT_ONCE = 500;
const READY_MS = 240_000;

/** OVN on the hosts of a lab: one logical switch, every port in one port group, tunnels between the hosts. */
export class OvnSide implements Side {
  readonly name = 'OVN';
  readonly #controllers: ChildProcess[] = [];
  #central!: OvnCentral;

  private constructor(
    private readonly lab: Lab,
    private readonly hosts: readonly string[],
    private readonly ports: readonly PortPlan[],
  ) {}

  static async start(
    lab: Lab,
    hosts: readonly string[],
    portsEach: number,
    isReal: boolean,
  ): Promise<OvnSide> {
    const side = new OvnSide(lab, hosts, portsOf(hosts, portsEach));
    try {
      await side.#start(isReal);
      return side;
    } catch (cause) {
      await side.stop();
      throw cause;
    }
  }

  make(change: ChangeName, n: number): Promise<void> {
    return this.#commit(wordsOf(change, n, this.ports, true));
  }

  undo(change: ChangeName, n: number): Promise<void> {
    return this.#commit(wordsOf(change, n, this.ports, false));
  }

  async cpu(): Promise<Readonly<Record<string, number>>> {
    const used: Record<string, number> = {};
    for (const [name, pid] of Object.entries(this.#central.pids)) used[name] = (await cpuSeconds(pid)) ?? NaN;
    for (const child of this.#controllers)
      used['ovn-controller'] = (used['ovn-controller'] ?? 0) + ((await cpuSeconds(child.pid)) ?? NaN);
    return used;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#controllers.splice(0).map(stopController));
    await (this.#central as OvnCentral | undefined)?.stop();
  }

  /** As one transaction; resolves when every controller has confirmed it. */
  async #commit(commands: readonly (readonly string[])[]): Promise<void> {
    const words = commands.flatMap((command, i) => (i === 0 ? command : ['--', ...command]));
    await this.#central.nbctl('--wait=hv', ...words);
  }

  async #start(isReal: boolean): Promise<void> {
    this.#central = await OvnCentral.start(join(this.lab.workdir, 'ovn'));
    const { southbound } = this.#central;
    const start = async (name: string, i: number) =>
      void this.#controllers.push(await startController(this.lab.host(name), i, southbound));
    await Promise.all(this.hosts.map(start));
    await this.#define();
    await Promise.all(this.hosts.map((name) => this.#plug(name, isReal)));
    const count = this.ports.length;
    await until(
      'OVN ports to be up',
      async () => ((await this.#up()) === count ? true : undefined),
      READY_MS,
    );
    await this.#commit([standingRule]);
  }

  async #define(): Promise<void> {
    const nbctl = (words: readonly string[]) => this.#central.nbctl(...words);
    await nbctl(['ls-add', SWITCH]);
    for (let i = 0; i < this.ports.length; i += AT_ONCE) {
      const some = this.ports.slice(i, i + AT_ONCE);
      const words = some.flatMap(({ name, mac, ip }) => [
        ...['--', 'lsp-add', SWITCH, name, '--', 'lsp-set-addresses', name, `${mac} ${ip}`],
      ]);
      await nbctl(words.slice(1));
    }
    await nbctl(['pg-add', GROUP, ...this.ports.map((port) => port.name)]);
  }

  async #plug(name: string, isReal: boolean): Promise<void> {
    const host = this.lab.host(name);
    const ids = (port: PortPlan) => ({ 'iface-id': port.name, 'attached-mac': port.mac });
    const ports = this.ports.filter((p) => p.host === name);
    await plug(host, BRIDGE, ports, ids, isReal);
  }

  async #up(): Promise<number> {
    const words = ['--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'up=true'];
    const found = await this.#central.nbctl(...words);
    return found.split('\n').filter((line) => line !== '').length;
  }
}
