import { type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, unwrap } from '#kernel';
import { QmpClient } from '../../apps/host-agent/src/hypervisor/qemu/client.js';
import { GuestConsole } from './console.js';
import { end, ip, startIn, until } from './exec.js';
import { quiet, type LabHost } from './host.js';
import { type Lab } from './net.js';
import { QemuEvents } from './qemu-events.js';
import {
  initrdOf,
  KERNEL_ARGS,
  kernelOf,
  prepareImage,
  SendingGuest,
  SILENT,
  type GuestOptions,
} from './sending.js';

const OFF = ['csum', 'guest_csum', 'gso', 'guest_tso4', 'guest_tso6', 'guest_ecn', 'guest_ufo'];
const HOST_OFF = ['host_tso4', 'host_tso6', 'host_ecn', 'host_ufo'];
/** A userspace switch passes frames on without their checksums, and receivers drop them. */
const NO_OFFLOADS = [...OFF, ...HOST_OFF].map((feature) => `${feature}=off`).join(',');
const MACHINE = ['-machine', 'pc', '-accel', 'tcg,tb-size=64', '-cpu', 'qemu64', '-m', '128'];
const BARE = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'];
/** Where the agent of a host finds its QEMUs, and where it sends them. */
export const qemuEnv = (host: string, lab: Lab): NodeJS.ProcessEnv => ({
  PORTOLAN_HYPERVISOR: 'qemu',
  PORTOLAN_QMP_DIR: join(lab.host(host).rundir, 'qemu'),
  PORTOLAN_QEMU_MIGRATE_URI: `unix:${lab.workdir}/{vm}.{host}.migrate`,
});

/** A directory a host for its monitors, before any agent looks for it, and what every guest boots from. */
export async function prepareGuests(lab: Lab, hosts: readonly string[]): Promise<void> {
  for (const host of hosts) await mkdir(join(lab.host(host).rundir, 'qemu'), { recursive: true });
  await prepareImage(lab);
}

/** A guest's vNIC: the group it asks for, and what it is known by. */
export type Nic = Pick<GuestOptions, 'mac' | 'ifaceId' | 'profile'>;

export interface QemuGuestOptions extends GuestOptions {
  /** After the first: `eth1` and so on. */
  readonly more?: readonly Nic[];
  /** Its QEMU does not announce it when it has arrived. */
  readonly unannounced?: boolean;
}

/** One run of a guest on one host: the QEMU, its taps, and what it sent through them. */
export class QemuRun {
  /** Of each vNIC, in their order. */
  readonly taps: readonly string[];
  /** The run is over, its port and its tap are gone. */
  readonly gone: Promise<void>;
  #child!: ChildProcess;
  #control: QmpClient | null = null;
  #events: QemuEvents | null = null;
  #console: GuestConsole | null = null;
  #framesBefore: readonly number[] | null = null;
  #said = '';
  #end: NodeJS.Signals | number | null = null;
  isGone = false;
  #isGone: () => void = () => undefined;
  #failed: (cause: unknown) => void = () => undefined;

  constructor(
    readonly host: LabHost,
    private readonly lab: Lab,
    private readonly guest: QemuGuestOptions,
    number: number,
  ) {
    this.taps = this.#nics.map((_, i) => `${guest.name}-${number}-${i}`);
    this.gone = new Promise((resolve, reject) => {
      this.#isGone = resolve;
      this.#failed = reject;
    });
    this.gone.catch(() => undefined);
  }

  /** Makes the taps and plugs them, as libvirt does before its QEMU runs. */
  async plug(): Promise<void> {
    for (const [i, nic] of this.#nics.entries()) await this.#plug(nic, this.taps[i] ?? '');
  }

  async #plug(nic: Nic, tap: string): Promise<void> {
    const { host, guest } = this;
    await host.exec('ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap');
    await quiet(host.netns, tap);
    await ip('-n', host.netns, 'link', 'set', tap, 'up');
    const ids = {
      'iface-id': nic.ifaceId,
      'attached-mac': nic.mac,
      'vm-id': guest.name,
      'port-profile': nic.profile,
      'iface-status': 'active',
    };
    const set = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
    await host.vsctl('add-port', guest.bridge, tap, '--', 'set', 'Interface', tap, ...set);
  }

  get #nics(): readonly Nic[] {
    return [this.guest, ...(this.guest.more ?? [])];
  }

  /** Starts QEMU; `incoming`: it listens there for the guest. Resolves when its monitor answers. */
  async start(incoming?: string): Promise<void> {
    const { guest, lab } = this;
    const nets = this.#nics.flatMap(({ mac }, i) => [
      ...['-netdev', `tap,id=n${i},ifname=${this.taps[i]},script=no,downscript=no,vhost=off`],
      ...['-device', `virtio-net-pci,netdev=n${i},mac=${mac},${SILENT},${NO_OFFLOADS}`],
    ]);
    const boot = ['-bios', '/usr/share/qemu/qboot.rom', '-kernel', kernelOf()];
    const image = ['-initrd', initrdOf(lab), '-append', KERNEL_ARGS];
    const qemu = [
      ...['qemu-system-x86_64', '-name', guest.name, ...MACHINE, ...BARE, ...boot, ...image],
      ...nets,
      ...[
        '-chardev',
        `socket,id=c0,path=${this.#socket('console')},server=on,wait=off`,
        '-serial',
        'chardev:c0',
      ],
      ...['-qmp', `unix:${this.#socket('qmp')},server=on,wait=off`],
      ...['-qmp', `unix:${this.#socket('control')},server=on,wait=off`],
      ...['-qmp', `unix:${this.#socket('events')},server=on,wait=off`],
      ...(guest.unannounced === true ? ['-global', 'migration.announce-rounds=0'] : []),
      ...(incoming === undefined ? [] : ['-incoming', incoming]),
    ];
    this.#child = startIn(this.host.netns, qemu, { stderr: 'pipe' });
    this.#child.stderr?.on('data', (said: Buffer) => (this.#said = `${this.#said}${said}`.slice(-1_000)));
    this.#child.once('exit', (code, signal) => {
      this.#end = signal ?? code;
      void this.#unplug().then(this.#isGone, this.#failed);
    });
    this.#control = await until('the monitor', async () =>
      unwrap(
        await QmpClient.connect(this.#socket('control'), {
          onEvent: () => undefined,
          onClose: () => undefined,
        }),
      ),
    );
    this.#events = await QemuEvents.onMonitor(this.#socket('events'));
    this.#console = await GuestConsole.open(this.#socket('console'));
  }

  async qmp(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#control === null) throw new Error('the guest does not run here');
    return unwrap(await this.#control.execute(command, args));
  }

  /** Since it was started. */
  get events(): QemuEvents {
    if (this.#events === null) throw new Error('the guest does not run here');
    return this.#events;
  }

  get console(): GuestConsole {
    if (this.#console === null) throw new Error('the guest does not run here');
    return this.#console;
  }

  /**
   * Frames that the guest's QEMU has handed to each tap, announcements included, but for those that the switch left
   * lying until there was no room: they never came to it.
   */
  async framesIn(): Promise<readonly number[]> {
    return this.#framesBefore ?? Promise.all(this.taps.map((tap) => this.#framesOf(tap)));
  }

  async #framesOf(tap: string): Promise<number> {
    const links = JSON.parse(await ip('-n', this.host.netns, '-s', '-j', 'link', 'show', tap)) as {
      readonly stats64: { readonly rx: { readonly packets: number } };
    }[];
    return (links[0]?.stats64.rx.packets ?? 0) - (await this.host.overrun(tap));
  }

  async kill(): Promise<void> {
    if (this.isGone) return;
    if (this.#child === undefined) return this.#unplug();
    await this.crash();
    await this.gone;
  }

  /** Whoever runs VMs unplugs it then, as soon as the switch lets them: `gone`. */
  async crash(): Promise<void> {
    await end(this.#child, 'SIGKILL');
  }

  /** What its processor does, and which interrupts wait: for one that says nothing any more. */
  async stands(): Promise<string> {
    const asked = ['info status', 'info registers', 'info lapic', 'info pic'].map((line) =>
      this.qmp('human-monitor-command', { 'command-line': line }).then(String, messageOf),
    );
    return (await Promise.all(asked)).join('\n');
  }

  /** How it ended, and what its QEMU and its guest said last. */
  get obituary(): string {
    const events = this.#events?.last.join('\n');
    return `on ${this.host.name}, ended with ${this.#end}: ${this.#said}\n${events}\n${this.#console?.tail}`;
  }

  /** What whoever runs VMs does when a QEMU has ended. */
  async #unplug(): Promise<void> {
    this.#control?.close();
    this.#events?.close();
    this.#console?.close();
    await this.host.drained(...this.taps).catch(() => undefined);
    this.#framesBefore = await this.framesIn();
    for (const tap of this.taps) {
      await this.host.vsctl('--if-exists', 'del-port', this.guest.bridge, tap);
      await ip('-n', this.host.netns, 'link', 'del', tap);
    }
    this.isGone = true;
  }

  #socket(kind: 'qmp' | 'control' | 'events' | 'console'): string {
    const dir = kind === 'qmp' ? join(this.host.rundir, 'qemu') : this.host.rundir;
    return join(dir, `${this.guest.name}.${kind}`);
  }
}

/** A guest under TCG, which only QEMU moves: it is plugged where it is and where it will be. */
export class QemuGuest extends SendingGuest {
  readonly runs: QemuRun[] = [];

  constructor(
    private readonly lab: Lab,
    readonly options: QemuGuestOptions,
  ) {
    super();
  }

  /** Where it runs, or waits to. */
  get run(): QemuRun {
    const last = this.runs.findLast((r) => !r.isGone);
    if (last === undefined) {
      const ends = this.runs.slice(-2).map((r) => r.obituary);
      throw new Error(`${this.options.name} runs nowhere; its last runs: ${ends.join('\n\n')}`);
    }
    return last;
  }

  async boot(host: string): Promise<void> {
    const first = this.#add(host);
    await first.plug();
    await first.start();
    await first.console.booted();
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

  async type(command: string): Promise<string> {
    const { run } = this;
    try {
      return await run.console.type(command);
    } catch (cause) {
      throw new Error(`${messageOf(cause)}\n${await run.stands()}`, { cause });
    }
  }

  /** Frames that came from it by one of its vNICs, wherever it ran. */
  async framesIn(nic = 0): Promise<number> {
    const each = await Promise.all(this.runs.map((r) => r.framesIn()));
    return each.reduce((sum, frames) => sum + (frames[nic] ?? 0), 0);
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
