import { type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { end, run, start, startIn, until } from './exec.js';
import { type LabHost } from './host.js';

/** What libvirt and QEMU look for in fixed places, each host's own. */
const OWN = ['/run', '/var/lib', '/var/cache', '/var/log'];
/**
 * Process 1 of the host: everything that libvirtd starts dies with it. It reaps, as an init does: libvirt waits for a
 * QEMU to be gone, and one that nobody reaped is not.
 */
const INIT = `
set -e
for each in ${OWN.join(' ')}; do mount -t tmpfs tmpfs $each; done
mkdir -p /run/libvirt /run/guests /run/openvswitch /var/lib/libvirt /var/cache/libvirt /var/log/libvirt
mount --bind "$1" /run/openvswitch
mount --bind "$2/run" /run/libvirt
mount --bind "$2/guests" /run/guests
mount --bind "$2/log" /var/log/libvirt
mount --bind "$2/etc" /etc/libvirt
mount --bind "$3" /var/cache/libvirt
for each in passwd group hosts; do
  cat /etc/$each - < "$2/etc/$each" > "/run/$each"
  mount --bind "/run/$each" "/etc/$each"
done
touch "$2/ready"
sleep infinity & wait
`;

const DAEMON = (uuid: string) => `
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
host_uuid = "${uuid}"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
`;
/** Debian's libvirt wants to know this user even where it is told to use another one. */
const USERS = {
  passwd: 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n',
  group: 'libvirt-qemu:x:64055:\n',
};
const QEMU = `
user = "root"
group = "root"
security_driver = "none"
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
dynamic_ownership = 0
remember_owner = 0
`;

/** What libvirt found out of the machine's QEMU: it asks again only when that is another one. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'portolan-lab', 'libvirt');

/** How anybody on this machine connects to the libvirtd of a host. */
export const uriAt = ({ workdir }: { readonly workdir: string }, host: string): string =>
  `qemu+unix:///system?socket=${workdir}/${host}/libvirt/run/libvirt-sock`;

/** The libvirtd of a lab's host, in the host's network namespace and with a /run, /etc/libvirt… of its own. */
export class Libvirtd {
  #init: ChildProcess | null = null;
  #daemon: ChildProcess | null = null;
  #pid = 0;

  /** `neighbours`: by which addresses it finds the others, as lines of /etc/hosts. */
  constructor(
    readonly host: LabHost,
    private readonly neighbours = '',
  ) {}

  private get dir(): string {
    return join(this.host.rundir, 'libvirt');
  }

  get uri(): string {
    return uriAt({ workdir: dirname(this.host.rundir) }, this.host.name);
  }

  /** A directory that the host's QEMUs see as /run/guests. */
  get guests(): string {
    return join(this.dir, 'guests');
  }

  async start(): Promise<void> {
    for (const each of ['run', 'guests', 'log', 'etc'])
      await mkdir(join(this.dir, each), { recursive: true });
    await mkdir(CACHE, { recursive: true });
    const files = {
      'libvirtd.conf': DAEMON(randomUUID()),
      'qemu.conf': QEMU,
      hosts: this.neighbours,
      ...USERS,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.dir, 'etc', name), text);
    const apart = ['unshare', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];
    const init = ['sh', '-c', INIT, 'init', this.host.rundir, this.dir, CACHE];
    this.#init = startIn(this.host.netns, [...apart, ...init]);
    const { pid } = this.#init;
    await until(`a namespace for libvirtd of ${this.host.name}`, () => readFile(join(this.dir, 'ready')));
    this.#pid = Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'));
    await this.startDaemon();
  }

  async startDaemon(): Promise<void> {
    const child = start([...this.#inside, 'libvirtd', '--listen', '--pid-file', '/run/libvirtd.pid']);
    this.#daemon = child;
    await until(`libvirtd of ${this.host.name}`, () => {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
      return this.virsh('list');
    });
  }

  /** As a crash would: its QEMUs go on. */
  async killDaemon(): Promise<void> {
    if (this.#daemon === null) return;
    await this.#signal('KILL');
    await end(this.#daemon);
    this.#daemon = null;
  }

  /** It answers nobody until it may go on. */
  pauseDaemon(): Promise<void> {
    return this.#signal('STOP');
  }

  continueDaemon(): Promise<void> {
    return this.#signal('CONT');
  }

  /** Kills the QEMU of a guest here, as a crash would. */
  async killGuest(name: string): Promise<void> {
    await this.exec('sh', '-c', `kill -9 $(cat /run/libvirt/qemu/${name}.pid)`);
  }

  /** `virsh` with this daemon. */
  virsh(...args: string[]): Promise<string> {
    return run('virsh', ['--quiet', '-c', this.uri, ...args]);
  }

  /** A program among the host's processes and files, to its end. */
  exec(...command: string[]): Promise<string> {
    const [program = '', ...args] = [...this.#inside, ...command];
    return run(program, args);
  }

  /** Ends it with all that it started. */
  async stop(): Promise<void> {
    if (this.#init !== null) await end(this.#init, 'SIGKILL');
    if (this.#daemon !== null) await end(this.#daemon);
    this.#init = null;
  }

  async #signal(signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
    await this.exec('sh', '-c', `kill -${signal} $(cat /run/libvirtd.pid)`);
  }

  get #inside(): readonly string[] {
    return ['nsenter', '-t', String(this.#pid), '--mount', '--pid', '--net'];
  }
}
