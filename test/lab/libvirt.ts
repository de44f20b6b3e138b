import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GuestConsole } from './console.js';
import { ip, until } from './exec.js';
import { Libvirtd, uriAt } from './libvirtd.js';
import { type Lab } from './net.js';
import {
  initrdOf,
  KERNEL_ARGS,
  kernelOf,
  prepareImage,
  SendingGuest,
  SILENT,
  type GuestOptions,
} from './sending.js';

/** A userspace switch passes frames on without their checksums, and receivers drop them. */
const NO_OFFLOADS = `<driver name='qemu'>
  <host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off'/>
  <guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/>
</driver>`;

const vnic = ({ mac, bridge, ifaceId, profile }: Omit<GuestOptions, 'name'>): string => `
<interface type='bridge'>
  <mac address='${mac}'/>
  <source bridge='${bridge}'/>
  <virtualport type='openvswitch'>
    <parameters interfaceid='${ifaceId}' profileid='${profile}'/>
  </virtualport>
  <model type='virtio'/>
  <rom enabled='no'/>
  ${NO_OFFLOADS}
</interface>`;

const domain = (guest: GuestOptions, uuid: string, lab: Lab): string => `
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${guest.name}</name>
  <uuid>${uuid}</uuid>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <loader type='rom'>/usr/share/qemu/qboot.rom</loader>
    <kernel>${kernelOf()}</kernel>
    <initrd>${initrdOf(lab)}</initrd>
    <cmdline>${KERNEL_ARGS}</cmdline>
  </os>
  <features><acpi/><tcg><tb-cache unit='MiB'>64</tb-cache></tcg></features>
  <cpu mode='custom' match='exact'><model>qemu64</model></cpu>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='unix'>
      <source mode='bind' path='/run/guests/${guest.name}.console'/>
      <target type='isa-serial' port='0'/>
    </serial>
    ${vnic(guest)}
  </devices>
  <qemu:commandline>
    <qemu:arg value='-global'/>
    <qemu:arg value='virtio-net-pci.${SILENT}'/>
  </qemu:commandline>
</domain>`;

/** How the agent of a host reaches its libvirtd and those of the others. */
export const libvirtEnv = (host: string, lab: Lab): NodeJS.ProcessEnv => ({
  PORTOLAN_HYPERVISOR: 'libvirt',
  PORTOLAN_LIBVIRT_URI: uriAt(lab, host),
  PORTOLAN_LIBVIRT_DESTINATION: uriAt(lab, '{host}'),
  PORTOLAN_LIBVIRT_MIGRATE_URI: `unix://${lab.workdir}/{vm}.{host}.migrate`,
});

/** The device of every host that leads to the others, past the switches. */
const NETWORK = 'mgmt';
const addressOf = (index: number): string => `192.168.77.${index + 1}`;

/** A libvirtd for every host of a lab. They and their guests end with it. */
export class LibvirtLab {
  private readonly daemons: ReadonlyMap<string, Libvirtd>;

  private constructor(
    readonly lab: Lab,
    hosts: readonly string[],
  ) {
    const addresses = hosts.map((name, i) => `${addressOf(i)} ${name}\n`).join('');
    this.daemons = new Map(hosts.map((name) => [name, new Libvirtd(lab.host(name), addresses)]));
  }

  static async start(lab: Lab, hosts: readonly string[]): Promise<LibvirtLab> {
    const libvirt = new LibvirtLab(lab, hosts);
    lab.hold(libvirt);
    await prepareImage(lab);
    await libvirt.#cable(hosts);
    // One after the other: the first finds out what QEMU can do, for all.
    for (const name of hosts) await libvirt.at(name).start();
    return libvirt;
  }

  /** Nothing passes between the hosts but what their switches carry; or all does again. */
  async cut(isCut: boolean): Promise<void> {
    for (const { host } of this.daemons.values())
      await ip('-n', host.netns, 'link', 'set', NETWORK, isCut ? 'down' : 'up');
  }

  at(host: string): Libvirtd {
    const daemon = this.daemons.get(host);
    if (daemon === undefined) throw new Error(`no libvirtd runs on ${host}`);
    return daemon;
  }

  /** Two hosts reach each other past their switches, as those of a cluster do. */
  async #cable(hosts: readonly string[]): Promise<void> {
    const [one, other] = hosts.map((name) => this.lab.host(name).netns);
    if (one === undefined || other === undefined) return;
    await ip('-n', one, 'link', 'add', NETWORK, 'type', 'veth', 'peer', 'name', NETWORK, 'netns', other);
    for (const [i, netns] of [one, other].entries()) {
      await ip('-n', netns, 'addr', 'add', `${addressOf(i)}/24`, 'dev', NETWORK);
      await ip('-n', netns, 'link', 'set', NETWORK, 'up');
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.daemons.values()].map((daemon) => daemon.stop()));
  }
}

/** A guest under TCG that libvirt runs, plugs and moves. */
export class LibvirtGuest extends SendingGuest {
  /** What libvirt marks its interface with (`vm-id`): the owner of its port. */
  readonly uuid = randomUUID();
  #host = '';
  #console: GuestConsole | null = null;

  constructor(
    private readonly libvirt: LibvirtLab,
    readonly options: GuestOptions,
  ) {
    super();
  }

  /** Where it runs, as far as this was told. */
  get host(): string {
    return this.#host;
  }

  async boot(host: string): Promise<void> {
    const file = join(this.libvirt.lab.workdir, `${this.options.name}.xml`);
    await writeFile(file, domain(this.options, this.uuid, this.libvirt.lab));
    await this.libvirt.at(host).virsh('create', file);
    await this.movedTo(host);
    await this.#console?.booted();
  }

  /** One more vNIC, while it runs. */
  async attach(more: Omit<GuestOptions, 'name'>): Promise<void> {
    const file = join(this.libvirt.lab.workdir, `${more.ifaceId}.xml`);
    await writeFile(file, vnic(more));
    await this.libvirt.at(this.#host).virsh('attach-device', this.uuid, file, '--live');
  }

  /** `virsh migrate`, as by somebody who knows nothing of Portolan. */
  async migrate(to: string, ...more: string[]): Promise<void> {
    const { name } = this.options;
    const uri = ['--migrateuri', `unix://${this.libvirt.lab.workdir}/${name}.${to}.migrate`];
    const how = ['--live', '--p2p', ...more];
    await this.libvirt.at(this.#host).virsh('migrate', ...how, name, uriAt(this.libvirt.lab, to), ...uri);
    await this.movedTo(to);
  }

  /** As a power cut would. */
  async stop(): Promise<void> {
    this.#console?.close();
    await this.libvirt.at(this.#host).virsh('destroy', this.uuid);
  }

  /** From now on, or until it is calmed, it writes faster than 10 MiB/s of its memory can follow. */
  async unrest(isWanted: boolean): Promise<void> {
    if (!isWanted) return void (await this.type('touch /calm'));
    await this.type('dd if=/dev/urandom of=/one bs=1M count=16');
    await this.type('rm -f /calm; (while [ ! -e /calm ]; do cat /one > /other; done) &');
  }

  /** Resolves when libvirt copies its memory to another host. */
  async leaving(): Promise<void> {
    const daemon = this.libvirt.at(this.#host);
    await until(`${this.options.name} to be sent`, async () => {
      const job = await daemon.virsh('domjobinfo', this.uuid);
      return /Memory processed: +[1-9]/.test(job) || undefined;
    });
  }

  /** Its console is where it runs. */
  async movedTo(host: string): Promise<void> {
    this.#console?.close();
    this.#host = host;
    this.#console = await GuestConsole.open(
      join(this.libvirt.at(host).guests, `${this.options.name}.console`),
    );
  }

  type(command: string): Promise<string> {
    if (this.#console === null) throw new Error(`${this.options.name} was not started`);
    return this.#console.type(command);
  }
}
