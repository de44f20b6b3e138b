import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { unwrap } from '#kernel';
import { QmpClient } from '../../apps/host-agent/src/hypervisor/qemu/client.js';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { guestKernel } from '../../deploy/setup/guest.js';
// @ts-expect-error: as above.
import { which } from '../../deploy/setup/shell.js';
import { end, ip, startIn, until } from './exec.js';
import { quiet, type LabHost } from './host.js';
import { initrd } from './initrd.js';
import { type Lab } from './net.js';

const OFF = ['csum', 'guest_csum', 'gso', 'guest_tso4', 'guest_tso6', 'guest_ecn', 'guest_ufo'];
const HOST_OFF = ['host_tso4', 'host_tso6', 'host_ecn', 'host_ufo'];
/** A userspace switch passes frames on without their checksums, and receivers drop them. */
const NO_OFFLOADS = [...OFF, ...HOST_OFF].map((feature) => `${feature}=off`).join(',');
const MACHINE = ['-machine', 'pc', '-accel', 'tcg,tb-size=64', '-cpu', 'qemu64', '-m', '128'];
const BARE = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'];
/** A guest boots in 3 s on a machine that has nothing else to do, and in a minute on one that has. */
const BOOT_MS = 180_000;

export interface GuestOptions {
  readonly name: string;
  readonly mac: string;
  readonly bridge: string;
  readonly ifaceId: string;
  readonly profile: string;
}

/** Where the agent of a host finds its QEMUs, and where it sends them. */
export const qemuEnv = (host: string, lab: Lab): NodeJS.ProcessEnv => ({
  PORTOLAN_HYPERVISOR: 'qemu',
  PORTOLAN_QMP_DIR: join(lab.host(host).rundir, 'qemu'),
  PORTOLAN_QEMU_MIGRATE_URI: `unix:${lab.workdir}/{vm}.{host}.migrate`,
});

/** A directory a host for its monitors, before any agent looks for it, and what every guest boots from. */
export async function prepareGuests(lab: Lab, hosts: readonly string[]): Promise<void> {
  for (const host of hosts) await mkdir(join(lab.host(host).rundir, 'qemu'), { recursive: true });
  const image = await initrd(guestKernel() as string, which('busybox') as string);
  await writeFile(join(lab.workdir, 'initrd.gz'), image);
}

/** One run of a guest on one host: the QEMU, its tap, and what it sent through it. */
export class QemuRun {
  readonly tap: string;
  /** The run is over, its port and its tap are gone. */
  readonly gone: Promise<void>;
  #child!: ChildProcess;
  #control: QmpClient | null = null;
  #console: Socket | null = null;
  #said = '';
  #framesBefore: number | null = null;
  isGone = false;
  #isGone: () => void = () => undefined;
  #failed: (cause: unknown) => void = () => undefined;

  constructor(
    readonly host: LabHost,
    private readonly lab: Lab,
    private readonly guest: GuestOptions,
    number: number,
  ) {
    this.tap = `tap${number}`;
    this.gone = new Promise((resolve, reject) => {
      this.#isGone = resolve;
      this.#failed = reject;
    });
    this.gone.catch(() => undefined);
  }

  /** Makes the tap and plugs it, as libvirt does before its QEMU runs. */
  async plug(): Promise<void> {
    const { host, tap, guest } = this;
    await host.exec('ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap');
    await quiet(host.netns, tap);
    await ip('-n', host.netns, 'link', 'set', tap, 'up');
    const ids = {
      'iface-id': guest.ifaceId,
      'attached-mac': guest.mac,
      'vm-id': guest.name,
      'port-profile': guest.profile,
      'iface-status': 'active',
    };
    const set = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
    await host.vsctl('add-port', guest.bridge, tap, '--', 'set', 'Interface', tap, ...set);
  }

  /** Starts QEMU; `incoming`: it listens there for the guest. Resolves when its monitor answers. */
  async start(incoming?: string): Promise<void> {
    const { guest, tap, lab } = this;
    const net = `virtio-net-pci,netdev=n0,mac=${guest.mac},${NO_OFFLOADS}`;
    const boot = ['-bios', '/usr/share/qemu/qboot.rom', '-kernel', join(guestKernel() as string, 'vmlinuz')];
    const image = ['-initrd', join(lab.workdir, 'initrd.gz'), '-append', 'console=ttyS0 quiet panic=1'];
    const qemu = [
      ...['qemu-system-x86_64', '-name', guest.name, ...MACHINE, ...BARE, ...boot, ...image],
      ...['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no,vhost=off`, '-device', net],
      ...[
        '-chardev',
        `socket,id=c0,path=${this.#socket('console')},server=on,wait=off`,
        '-serial',
        'chardev:c0',
      ],
      ...['-qmp', `unix:${this.#socket('qmp')},server=on,wait=off`],
      ...['-qmp', `unix:${this.#socket('control')},server=on,wait=off`],
      ...(incoming === undefined ? [] : ['-incoming', incoming]),
    ];
    this.#child = startIn(this.host.netns, qemu);
    this.#child.once('exit', () => void this.#unplug().then(this.#isGone, this.#failed));
    this.#control = await until('the monitor', async () =>
      unwrap(
        await QmpClient.connect(this.#socket('control'), {
          onEvent: () => undefined,
          onClose: () => undefined,
        }),
      ),
    );
    this.#console = await until('the console', () => connected(this.#socket('console')));
    this.#console.on('error', () => undefined);
    this.#console.on('data', (chunk: Buffer) => (this.#said += chunk.toString('latin1')));
  }

  async qmp(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#control === null) throw new Error('the guest does not run here');
    return unwrap(await this.#control.execute(command, args));
  }

  /** Resolves when the guest has booted. */
  async booted(): Promise<void> {
    await until('the guest to boot', () => this.#heard(/READY\r?\n/), BOOT_MS);
    if (this.#said.includes('FAILED')) throw new Error(`the guest lacks a module: ${this.#said}`);
  }

  /** A command on the guest's console; resolves with what it printed. */
  async type(command: string): Promise<string> {
    this.#said = '';
    this.#console?.write(`${command}\n`);
    const [, text = '', code] = await until(
      `the guest: ${command}`,
      () => this.#heard(/^([^]*)DONE (\d+)\r?\n/),
      60_000,
    );
    if (code !== '0') throw new Error(`${command}: ended with ${code}: ${text}`);
    return text.replaceAll('\r', '').trim();
  }

  /** Frames that the guest's QEMU has handed to the tap, announcements included. */
  async framesIn(): Promise<number> {
    if (this.#framesBefore !== null) return this.#framesBefore;
    const links = JSON.parse(await ip('-n', this.host.netns, '-s', '-j', 'link', 'show', this.tap)) as {
      readonly stats64: { readonly rx: { readonly packets: number } };
    }[];
    return links[0]?.stats64.rx.packets ?? 0;
  }

  async kill(): Promise<void> {
    if (this.isGone) return;
    if (this.#child === undefined) return this.#unplug();
    await end(this.#child, 'SIGKILL');
    await this.gone;
  }

  /** What whoever runs VMs does when a QEMU has ended. */
  async #unplug(): Promise<void> {
    this.#control?.close();
    this.#console?.destroy();
    await this.host.drained(this.tap).catch(() => undefined);
    this.#framesBefore = await this.framesIn();
    await this.host.vsctl('--if-exists', 'del-port', this.guest.bridge, this.tap);
    await ip('-n', this.host.netns, 'link', 'del', this.tap);
    this.isGone = true;
  }

  #socket(kind: 'qmp' | 'control' | 'console'): string {
    const dir = kind === 'qmp' ? join(this.host.rundir, 'qemu') : this.host.rundir;
    return join(dir, `${this.guest.name}.${kind}`);
  }

  #heard(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    if (this.#child.exitCode !== null) throw new Error(`QEMU ended with ${this.#child.exitCode}`);
    return Promise.resolve(pattern.exec(this.#said) ?? undefined);
  }
}

/** A guest under TCG, which only QEMU moves: it is plugged where it is and where it will be. */
export class QemuGuest {
  readonly runs: QemuRun[] = [];

  constructor(
    private readonly lab: Lab,
    readonly options: GuestOptions,
  ) {}

  /** Where it runs, or waits to. */
  get run(): QemuRun {
    const last = this.runs.findLast((r) => !r.isGone);
    if (last === undefined) throw new Error(`${this.options.name} runs nowhere`);
    return last;
  }

  async boot(host: string): Promise<void> {
    const first = this.#add(host);
    await first.plug();
    await first.start();
    await first.booted();
  }

  /** Plugs it at a host where it does not run yet. */
  async plugAt(host: string): Promise<QemuRun> {
    const next = this.#add(host);
    await next.plug();
    return next;
  }

  /** Where QEMU listens for it at this host: what the agents' template says. */
  incoming(host: string): string {
    return `unix:${this.lab.workdir}/${this.options.name}.${host}.migrate`;
  }

  /** Datagrams of the guest's own kernel, each stream numbered from 1: `pps` a second to a port of a peer. */
  async generate(streams: readonly Stream[]): Promise<void> {
    for (const [i, { to, port, pps, srcMac }] of streams.entries()) {
      const device = `eth0@${i}`;
      const set = [
        `delay ${Math.round(1e9 / pps)}`,
        'count 0',
        `dst_mac ${to.mac}`,
        `dst ${to.ip}`,
        'src_min 10.0.0.200',
        'src_max 10.0.0.200',
        `udp_dst_min ${port}`,
        `udp_dst_max ${port}`,
        ...(srcMac === undefined ? [] : [`src_mac ${srcMac}`]),
      ];
      await this.run.type(`echo "add_device ${device}" > /proc/net/pktgen/kpktgend_0`);
      for (const line of set) await this.run.type(`echo "${line}" > /proc/net/pktgen/${device}`);
    }
    await this.run.type('(echo start > /proc/net/pktgen/pgctrl) &');
  }

  /** Ends what `generate` began; how many datagrams each stream had. */
  async stopGenerating(streams: readonly Stream[]): Promise<readonly number[]> {
    await this.run.type('echo stop > /proc/net/pktgen/pgctrl');
    const sent: number[] = [];
    for (const i of streams.keys()) {
      const text = await until('the stream to end', async () => {
        const said = await this.run.type(`cat /proc/net/pktgen/eth0@${i}`);
        return said.includes('Result: OK') ? said : undefined;
      });
      sent.push(Number(/pkts-sofar: (\d+)/.exec(text)?.[1]));
    }
    return sent;
  }

  /** What the guest's own device counted as sent, once it does not change any more. */
  async transmitted(): Promise<number> {
    const read = async () => Number(await this.run.type('cat /sys/class/net/eth0/statistics/tx_packets'));
    return until('the guest’s counter', async () => {
      const [one, two] = [await read(), await read()];
      return one === two ? one : undefined;
    });
  }

  /** Frames that came from it through all its taps. */
  async framesIn(): Promise<number> {
    const each = await Promise.all(this.runs.map((r) => r.framesIn()));
    return each.reduce((a, b) => a + b, 0);
  }

  async stop(): Promise<void> {
    for (const one of this.runs) await one.kill();
  }

  #add(host: string): QemuRun {
    const added = new QemuRun(this.lab.host(host), this.lab, this.options, this.runs.length);
    this.runs.push(added);
    return added;
  }
}

export interface Stream {
  readonly to: { readonly mac: string; readonly ip: string };
  /** Destination port: what the stream is known by. */
  readonly port: number;
  readonly pps: number;
  readonly srcMac?: string;
}

/** The number under which receivers count a stream of the kernel's packet generator. */
export const streamOf = ({ port }: Stream): number => 1_000_000 + port;

async function connected(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  return socket;
}
