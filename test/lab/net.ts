import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ip, run } from './exec.js';
import { addNamespace, LabHost, quiet } from './host.js';
import { LabVm, type VmOptions } from './vm.js';

export { until } from './exec.js';
export { type FrameStats, type SendReport, type StreamReceived } from './frames.js';
export { LabHost } from './host.js';
export { LabVm, numbered, type MoveOptions, type Plug, type SendOptions, type VmOptions } from './vm.js';

export interface LabOptions {
  readonly hosts: readonly string[];
  /** Uplink devices of each host, `up0`, `up1`…; absent: 1. */
  readonly uplinks?: number;
  /** MTU of uplinks and fabric; absent: 1500. */
  readonly mtu?: number;
  /** For every host's ovs-vswitchd. */
  readonly switchOptions?: readonly string[];
}

let labs = 0;
/** Hosts that come up at the same time: many would keep each other from doing so within the time that one is given. */
const AT_ONCE = 8;

/**
 * Hosts with a real Open vSwitch each and a fabric between them, in network namespaces of this machine (needs root).
 * The fabric is a Linux bridge that passes VLAN tags through. Everything bears this process's id; what a killed run
 * left behind is removed by the next.
 *
 * ```ts
 * const lab = await Lab.create({ hosts: ['a', 'b'] });
 * const web = await lab.addVm('a', { bridge: 'br0', name: 'web', mac: '02:00:00:00:00:01', ip: '10.0.0.1' });
 * await web.send({ to: db, count: 1000, pps: 2000 });
 * expect((await db.receivedFrom(web)).unique).toBe(1000);
 * await lab.destroy();
 * ```
 */
export class Lab {
  private readonly hostsByName = new Map<string, LabHost>();
  private readonly vms: LabVm[] = [];
  private readonly namespaces: string[] = [];
  private readonly held: { stop(): Promise<unknown> }[] = [];

  private constructor(
    private readonly tag: string,
    private readonly dir: string,
    private readonly options: LabOptions,
  ) {}

  static async create(options: LabOptions): Promise<Lab> {
    await sweep();
    const lab = new Lab(`ptl-${process.pid}-${labs++}`, await mkdtemp(join(tmpdir(), 'ptl-')), options);
    try {
      await lab.build();
    } catch (cause) {
      await lab.destroy();
      throw cause;
    }
    return lab;
  }

  host(name: string): LabHost {
    const host = this.hostsByName.get(name);
    if (!host) throw new Error(`the lab has no host ${name}`);
    return host;
  }

  ofctl(host: string, ...args: string[]): Promise<string> {
    return this.host(host).ofctl(...args);
  }

  vsctl(host: string, ...args: string[]): Promise<string> {
    return this.host(host).vsctl(...args);
  }

  appctl(host: string, ...args: string[]): Promise<string> {
    return this.host(host).appctl(...args);
  }

  /** A guest, plugged at the host and running. One after the other: the next one's name is its number. */
  async addVm(host: string, options: VmOptions): Promise<LabVm> {
    const vm = await this.newVm(options);
    const plug = await vm.plugAt(host);
    await vm.runOn(plug.inside, 0);
    return vm;
  }

  /** A machine of the physical network: connected to the fabric itself, with every frame tagged as it was sent. */
  async addOutsider(options: Omit<VmOptions, 'bridge'>): Promise<LabVm> {
    const vm = await this.newVm({ ...options, bridge: '' });
    const port = `out${this.vms.length}`;
    await vm.cable('eth0', this.fabric, port);
    await ip('-n', this.fabric, 'link', 'set', port, 'master', 'fabric');
    await vm.runOn('eth0', 0);
    return vm;
  }

  /** From now on the fabric knows no MACs and brings every frame to every port, as in a VLAN set apart for copies. */
  async forgetMacs(): Promise<void> {
    await ip('-n', this.fabric, 'link', 'set', 'fabric', 'type', 'bridge', 'ageing_time', '0');
  }

  /** From now on nothing passes from one host to another. */
  async isolate(): Promise<void> {
    await this.setPorts('isolated', 'on');
  }

  /** The device in the fabric that a host's uplink leads to. */
  fabricPort(host: string, uplink: string): string {
    return `${host}-${uplink}`;
  }

  /** A program in the fabric, to its end. */
  inFabric(program: string, ...args: string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this.fabric, program, ...args]);
  }

  /** A directory of this lab, removed with it, for what else a test starts. */
  get workdir(): string {
    return this.dir;
  }

  /** What else runs in this lab, and ends before it is taken down. */
  hold(part: { stop(): Promise<unknown> }): void {
    this.held.push(part);
  }

  /** Takes everything down, as far as it was built; safe to call twice. */
  async destroy(): Promise<void> {
    const faults: unknown[] = [];
    const all = async (work: readonly Promise<unknown>[]) => {
      for (const done of await Promise.allSettled(work))
        if (done.status === 'rejected') faults.push(done.reason);
    };
    await all(this.held.splice(0).map((part) => part.stop()));
    await all(this.vms.splice(0).map((vm) => vm.stop()));
    await all([...this.hostsByName.values()].map((host) => host.stop()));
    this.hostsByName.clear();
    await all(this.namespaces.splice(0).map((name) => ip('netns', 'del', name)));
    await all([rm(this.dir, { recursive: true, force: true })]);
    if (faults.length > 0) throw new AggregateError(faults, 'the lab could not be taken down');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }

  private get fabric(): string {
    return `${this.tag}-fabric`;
  }

  private async build(): Promise<void> {
    await this.namespace(this.fabric);
    const bridge = ['type', 'bridge', 'stp_state', '0'];
    await ip('-n', this.fabric, 'link', 'add', 'fabric', 'mtu', String(this.mtu), ...bridge);
    await ip('-n', this.fabric, 'link', 'set', 'fabric', 'up');
    const { hosts } = this.options;
    for (let i = 0; i < hosts.length; i += AT_ONCE) {
      const some = hosts.slice(i, i + AT_ONCE);
      const built = await Promise.allSettled(some.map((name) => this.buildHost(name)));
      for (const result of built) if (result.status === 'rejected') throw result.reason;
    }
  }

  private async buildHost(name: string): Promise<void> {
    const netns = `${this.tag}-${name}`;
    await this.namespace(netns);
    const uplinks = Array.from({ length: this.options.uplinks ?? 1 }, (_, n) => `up${n}`);
    const host = new LabHost(name, netns, join(this.dir, name), uplinks, this.options.switchOptions);
    this.hostsByName.set(name, host);
    for (const uplink of uplinks) await this.cableUplink(host, uplink);
    await host.start();
  }

  private async cableUplink(host: LabHost, uplink: string): Promise<void> {
    const port = `${host.name}-${uplink}`;
    const mtu = ['mtu', String(this.mtu)];
    const peer = ['type', 'veth', 'peer', 'name', port, ...mtu, 'netns', this.fabric];
    await ip('-n', host.netns, 'link', 'add', uplink, ...mtu, ...peer);
    await Promise.all([quiet(host.netns, uplink), quiet(this.fabric, port)]);
    await ip('-n', this.fabric, 'link', 'set', port, 'master', 'fabric', 'up');
    await ip('-n', host.netns, 'link', 'set', uplink, 'up');
  }

  /** Of every port of the fabric that leads to a host. */
  private async setPorts(option: string, value: string): Promise<void> {
    for (const host of this.hostsByName.values())
      for (const uplink of host.uplinks) {
        const port = `${host.name}-${uplink}`;
        await ip('-n', this.fabric, 'link', 'set', port, 'type', 'bridge_slave', option, value);
      }
  }

  private async newVm(options: VmOptions): Promise<LabVm> {
    const index = this.vms.length + 1;
    const netns = `${this.tag}-vm${index}`;
    await this.namespace(netns);
    const vm = new LabVm(options, netns, index, (name) => this.host(name));
    this.vms.push(vm);
    return vm;
  }

  private async namespace(name: string): Promise<void> {
    this.namespaces.push(name);
    await addNamespace(name);
  }

  private get mtu(): number {
    return this.options.mtu ?? 1_500;
  }
}

/** Removes namespaces of labs whose process is gone; its programs died with it. */
async function sweep(): Promise<void> {
  for (const name of await namespaces()) {
    const pid = /^ptl-([0-9]+)-/.exec(name)?.[1];
    if (pid === undefined || alive(Number(pid))) continue;
    try {
      await ip('netns', 'del', name);
    } catch (cause) {
      // Another run may sweep at the same time: only what is still there is a fault.
      if ((await namespaces()).includes(name)) throw cause;
    }
  }
}

async function namespaces(): Promise<readonly string[]> {
  return (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '');
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
