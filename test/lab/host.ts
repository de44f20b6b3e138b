import { type ChildProcess } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { end, ip, run, startIn, until } from './exec.js';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Off at every end: a userspace switch passes frames on without their checksums, and receivers drop them. */
const OFFLOADS = ['rx', 'tx', 'tso', 'gso', 'gro'].flatMap((feature) => [feature, 'off']);

export async function quiet(netns: string, device: string): Promise<void> {
  await run('ip', ['netns', 'exec', netns, 'ethtool', '-K', device, ...OFFLOADS]);
}

/** A namespace in which the kernel says nothing by itself: a guest's frames are only those that a test sends. */
export async function addNamespace(name: string): Promise<void> {
  await ip('netns', 'add', name);
  const silence =
    'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do if [ -e "$f" ]; then echo 1 > "$f"; fi; done';
  await run('ip', ['netns', 'exec', name, 'sh', '-c', silence]);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
}

/** A hypervisor: a network namespace with its own ovsdb-server and ovs-vswitchd. */
export class LabHost {
  private ovsdb: ChildProcess | undefined;
  private vswitchd: ChildProcess | undefined;
  private readonly env: Readonly<Record<string, string>>;

  /**
   * `uplinks` are devices in the host's namespace that lead to the fabric; `rundir` holds the switch's sockets.
   * `switchOptions` are given to ovs-vswitchd.
   */
  constructor(
    readonly name: string,
    readonly netns: string,
    readonly rundir: string,
    readonly uplinks: readonly string[],
    private readonly switchOptions: readonly string[] = [],
  ) {
    this.env = { OVS_RUNDIR: rundir, OVS_DBDIR: rundir, OVS_LOGDIR: rundir, OVS_SYSCONFDIR: rundir };
  }

  get database(): string {
    return `unix:${join(this.rundir, 'db.sock')}`;
  }

  async start(): Promise<void> {
    await mkdir(this.rundir, { recursive: true });
    await run('ovsdb-tool', ['create', join(this.rundir, 'conf.db'), SCHEMA]);
    await this.startOvsdb();
    await this.vsctl('--no-wait', 'init');
    await this.startVswitchd();
  }

  async startOvsdb(): Promise<void> {
    const files = [join(this.rundir, 'conf.db'), `--remote=p${this.database}`];
    this.ovsdb = startIn(
      this.netns,
      ['ovsdb-server', ...files, ...daemonOptions('ovsdb-server', this.rundir)],
      {
        env: this.env,
      },
    );
    await until(`ovsdb-server of ${this.name}`, async () => (await this.vsctl('--no-wait', 'show')) ?? 'up');
  }

  async startVswitchd(): Promise<void> {
    const options = [...daemonOptions('ovs-vswitchd', this.rundir), ...this.switchOptions];
    const child = startIn(this.netns, ['ovs-vswitchd', this.database, ...options], { env: this.env });
    this.vswitchd = child;
    await until(`ovs-vswitchd of ${this.name}`, async () => {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
      return (await this.vswitchdPid()) === child.pid ? this.appctl('version') : undefined;
    });
  }

  /** Kills the switch as a crash would: nothing is cleaned up. */
  async killVswitchd(): Promise<void> {
    if (this.vswitchd) await end(this.vswitchd, 'SIGKILL');
    this.vswitchd = undefined;
  }

  /** The switch reads nothing and answers nobody until it may go on. */
  pauseVswitchd(): void {
    this.vswitchd?.kill('SIGSTOP');
  }

  continueVswitchd(): void {
    this.vswitchd?.kill('SIGCONT');
  }

  async restartVswitchd(): Promise<void> {
    await this.killVswitchd();
    await this.startVswitchd();
  }

  /** Kills the database as a crash would. */
  async killOvsdb(): Promise<void> {
    if (this.ovsdb) await end(this.ovsdb, 'SIGKILL');
    this.ovsdb = undefined;
  }

  async restartOvsdb(): Promise<void> {
    if (this.ovsdb) await end(this.ovsdb);
    await this.startOvsdb();
  }

  /** `ovs-vsctl` on this host; waits for the switch unless told `--no-wait`. */
  vsctl(...args: string[]): Promise<string> {
    return run('ovs-vsctl', [`--db=${this.database}`, '--timeout=30', ...args], this.env);
  }

  /** `ovs-ofctl` on this host, in OpenFlow 1.5. */
  ofctl(...args: string[]): Promise<string> {
    return run('ovs-ofctl', ['-O', 'OpenFlow15', ...args], this.env);
  }

  async appctl(...args: string[]): Promise<string> {
    const socket = join(this.rundir, `ovs-vswitchd.${await this.vswitchdPid()}.ctl`);
    return run('ovs-appctl', ['-t', socket, ...args], this.env);
  }

  /** A program in the host's namespace, to its end. */
  exec(program: string, ...args: string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this.netns, program, ...args], this.env);
  }

  /** Octets that came to a plugged device and were not read by the switch yet. */
  async unread(device: string): Promise<number> {
    const [index, ...sockets] = (
      await this.exec('cat', `/sys/class/net/${device}/ifindex`, '/proc/net/packet')
    ).split('\n');
    const rows = sockets.map((line) => line.trim().split(/ +/)).filter((row) => row[4] === index);
    if (rows.length === 0) throw new Error(`nothing reads ${device}`);
    return rows.reduce((sum, row) => sum + Number(row[6]), 0);
  }

  /** Frames that came to a plugged device and found no room any more where the switch reads them. */
  async overrun(device: string): Promise<number> {
    const sockets = (await this.exec('ss', '--packet', '--numeric', '--memory')).split('\n');
    const own = sockets.filter((line) => line.split(/\s+/).some((word) => word.endsWith(`:${device}`)));
    return own.reduce((sum, line) => sum + Number(/,d(\d+)\)/.exec(line)?.[1] ?? 0), 0);
  }

  /** Resolves when the switch has dealt with everything that came to these devices. */
  async drained(...devices: readonly string[]): Promise<void> {
    for (const device of devices)
      await until(`${device} to be read`, async () => ((await this.unread(device)) === 0 ? true : undefined));
    // Answered by the loop that reads frames, between two readings: what it had in hand has been sent on.
    await this.appctl('version');
  }

  async setUplink(device: string, state: 'up' | 'down'): Promise<void> {
    await ip('-n', this.netns, 'link', 'set', device, state);
  }

  async stop(): Promise<void> {
    await this.killVswitchd();
    await this.killOvsdb();
  }

  /** The switch's log, for a failed test. */
  async log(): Promise<string> {
    const names = (await readdir(this.rundir)).filter((name) => name.endsWith('.log'));
    return (await Promise.all(names.map((name) => readFile(join(this.rundir, name), 'utf8')))).join('\n');
  }

  private async vswitchdPid(): Promise<number> {
    return Number(await readFile(join(this.rundir, 'ovs-vswitchd.pid'), 'utf8'));
  }
}

/** What every program of Open vSwitch and OVN takes. */
export function daemonOptions(name: string, rundir: string): string[] {
  return [
    `--pidfile=${join(rundir, `${name}.pid`)}`,
    '--overwrite-pidfile',
    `--log-file=${join(rundir, `${name}.log`)}`,
    '--no-chdir',
    '-vconsole:off',
  ];
}
