import { type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type Lab, until } from '../../lab/net.js';
import { inBatches } from '../support/batches.js';
import { cpuSeconds, residentMb } from '../support/cluster.js';
import { OvnCentral } from './central.js';
import { BRIDGE, makeBridge, startController, stopController } from './controller.js';
import { plug, portsOf, type PortPlan } from './ports.js';
import { defineGroup, definePorts, defineSwitch, standingRule, wordsOf } from './ovn-words.js';
import { type ChangeName, type Side } from './side.js';

/** Ports that are made by one transaction. */
const PORTS_AT_ONCE = 1_000;
/** Hosts that come up at the same time. */
const HOSTS_AT_ONCE = 4;
const READY_MS = 240_000;
const LOOK_MS = 500;

/** OVN on the hosts of a lab: one logical switch, every port in one port group, tunnels between the hosts. */
export class OvnSide implements Side {
  readonly name = 'OVN';
  /** What it says itself is just this. */
  readonly installedMs = null;
  readonly #controllers: ChildProcess[] = [];
  #central!: OvnCentral;

  private constructor(
    private readonly lab: Lab,
    private readonly hosts: readonly string[],
    private readonly ports: readonly PortPlan[],
    private readonly say: (line: string) => void,
  ) {}

  static async start(
    lab: Lab,
    hosts: readonly string[],
    portsEach: number,
    isReal: boolean,
    say: (line: string) => void,
  ): Promise<OvnSide> {
    const side = new OvnSide(lab, hosts, portsOf(hosts, portsEach), say);
    try {
      await side.#start(isReal);
      return side;
    } catch (cause) {
      await side.stop();
      throw cause;
    }
  }

  make(change: ChangeName, n: number): Promise<void> {
    return this.commit(wordsOf(change, n, this.ports, true));
  }

  undo(change: ChangeName, n: number): Promise<void> {
    return this.commit(wordsOf(change, n, this.ports, false));
  }

  async cpu(): Promise<Readonly<Record<string, number>>> {
    const used: Record<string, number> = {};
    for (const [name, pid] of Object.entries(this.#central.pids)) used[name] = (await cpuSeconds(pid)) ?? NaN;
    for (const child of this.#controllers)
      used['ovn-controller'] = (used['ovn-controller'] ?? 0) + ((await cpuSeconds(child.pid)) ?? NaN);
    return used;
  }

  /** The same hosts, asked by a command that is started for each change. */
  get byCommand(): Side {
    const give = (change: ChangeName, n: number, isMade: boolean): Promise<void> =>
      this.command(wordsOf(change, n, this.ports, isMade));
    return {
      name: 'OVN by its command',
      installedMs: null,
      make: (change, n) => give(change, n, true),
      undo: (change, n) => give(change, n, false),
      cpu: () => this.cpu(),
    };
  }

  /** Kills a host's controller and starts another; it is connected when this resolves. */
  async restartController(name: string): Promise<void> {
    const number = this.hosts.indexOf(name);
    await stopController(this.#controllers[number]!);
    this.#controllers[number] = await startController(this.lab.host(name), number, this.#central.southbound);
  }

  /** Resident memory of the first host's controller, MB. */
  memory(): Promise<number | null> {
    return residentMb(this.#controllers[0]?.pid);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#controllers.splice(0).map(stopController));
    await (this.#central as OvnCentral | undefined)?.stop();
  }

  /** As one transaction; resolves when every controller has confirmed it. */
  async commit(commands: readonly (readonly string[])[]): Promise<void> {
    await this.#central.confirmed(commands);
  }

  /** The same by a process of `ovn-nbctl` that is started for it. */
  async command(commands: readonly (readonly string[])[]): Promise<void> {
    await this.#central.commanded(commands);
  }

  async #start(isReal: boolean): Promise<void> {
    this.#central = await OvnCentral.start(join(this.lab.workdir, 'ovn'));
    const { southbound } = this.#central;
    // Before the controllers run: each port that comes has all of them and the centre at work, and the switch waits.
    await inBatches(this.hosts, HOSTS_AT_ONCE, (name) => this.#plug(name, isReal));
    this.say(`OVN: ${this.ports.length} ports are plugged`);
    await this.#define();
    this.say('OVN: the northbound database knows them');
    await inBatches(this.hosts, HOSTS_AT_ONCE, async (name, i) => {
      this.#controllers.push(await startController(this.lab.host(name), i, southbound));
    });
    this.say(`OVN: ${this.hosts.length} controllers run`);
    await until('OVN ports to be up', () => this.#allUp(), READY_MS);
    await this.commit([standingRule]);
  }

  async #define(): Promise<void> {
    await this.#central.nbctl(...defineSwitch);
    await inBatches(chunks(this.ports, PORTS_AT_ONCE), 1, (some) => this.#central.all(definePorts(some)));
    await this.#central.nbctl(...defineGroup(this.ports));
  }

  async #plug(name: string, isReal: boolean): Promise<void> {
    const host = this.lab.host(name);
    const ids = (port: PortPlan) => ({ 'iface-id': port.name, 'attached-mac': port.mac });
    const ports = this.ports.filter((p) => p.host === name);
    await makeBridge(host);
    await plug(host, BRIDGE, ports, ids, isReal);
  }

  /** True, or undefined; a controller that ended brings up no port any more. */
  async #allUp(): Promise<true | undefined> {
    const words = ['--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'up=true'];
    // Each look goes through all ports: what it is waited for needs the processor more.
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const found = await this.#central.nbctl(...words);
    return found.split('\n').filter((line) => line !== '').length === this.ports.length ? true : undefined;
  }
}

const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
