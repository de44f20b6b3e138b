import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unwrap } from '#kernel';
import { type FlowStats } from './model.js';
import { decode } from './wire/decode.js';
import { encode } from './wire/encode.js';
import { Framer } from './wire/framer.js';
import { type BundleControl, type OfMessage, type UnreadableFlow } from './wire/messages.js';

const run = promisify(execFile);
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/**
 * One Open vSwitch of our own in userspace, in a directory and a network namespace of its own; only its own processes
 * are ever ended, and the namespace goes with them.
 */
export class LabSwitch {
  private readonly processes: ChildProcess[] = [];
  private vswitchd: ChildProcess | undefined;

  private constructor(
    readonly dir: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(): Promise<LabSwitch> {
    const dir = await mkdtemp(join(tmpdir(), 'portolan-of-'));
    const env = { ...process.env, OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir };
    const lab = new LabSwitch(dir, env);
    try {
      await run('ovsdb-tool', ['create', `${dir}/conf.db`, SCHEMA], { env });
      const db = join(dir, 'db.sock');
      lab.spawn('ovsdb-server', [
        `${dir}/conf.db`,
        `--remote=punix:${db}`,
        `--unixctl=${dir}/ovsdb.ctl`,
        '-vconsole:off',
      ]);
      await listens(db);
      await lab.vsctl('--no-wait', 'init');
      lab.vswitchd = lab.spawn('unshare', [
        '--net',
        'ovs-vswitchd',
        `unix:${db}`,
        `--unixctl=${dir}/vswitchd.ctl`,
        '-vconsole:off',
      ]);
      return lab;
    } catch (cause) {
      await lab.stop();
      throw cause;
    }
  }

  async addBridge(name: string): Promise<void> {
    await this.vsctl('add-br', name, '--', 'set', 'bridge', name, 'datapath_type=netdev', 'fail_mode=secure');
  }

  vsctl(...args: string[]): Promise<string> {
    return this.tool('ovs-vsctl', `--db=unix:${this.dir}/db.sock`, '--timeout=20', ...args);
  }

  /** The independent witness. */
  ofctl(...args: string[]): Promise<string> {
    return this.tool('ovs-ofctl', '-O', 'OpenFlow15', ...args);
  }

  /** A command of the running switch. */
  appctl(...args: string[]): Promise<string> {
    return this.tool('ovs-appctl', '-t', `${this.dir}/vswitchd.ctl`, ...args);
  }

  socket(bridge: string): string {
    return `${this.dir}/${bridge}.mgmt`;
  }

  async stop(): Promise<void> {
    for (const child of this.processes.reverse()) {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await gone;
      }
    }
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A real packet (ARP, then none) out of the bridge's own device, so that the switch takes an upcall. */
  async knock(bridge: string): Promise<void> {
    const script = `ip addr add 10.9.9.1/24 dev ${bridge} && ip link set ${bridge} up && echo > /dev/udp/10.9.9.2/9`;
    await run('nsenter', ['-t', String(this.vswitchd?.pid), '-n', 'bash', '-c', script]);
  }

  private spawn(command: string, args: string[]): ChildProcess {
    const child = spawn(command, args, { env: this.env, stdio: 'ignore' });
    this.processes.push(child);
    return child;
  }

  private async tool(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(command, args, { env: this.env, maxBuffer: 1 << 26 });
    return stdout;
  }
}

/** Resolves when somebody listens there: the socket's file is there a moment before. */
async function listens(path: string): Promise<void> {
  const last = performance.now() + 30_000;
  for (;;) {
    try {
      return await reach(path);
    } catch (cause) {
      if (performance.now() > last) throw cause;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function reach(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** The least connection that tests need: sends, and waits for messages by a test. */
export class LabConnection {
  private readonly framer = new Framer();
  private readonly inbox: { xid: number; message: OfMessage }[] = [];
  private readonly waiting = new Set<() => void>();
  private xid = 100;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      for (const frame of unwrap(this.framer.push(chunk))) {
        const { xid, message } = unwrap(decode(frame));
        if (message.kind === 'echo-request') this.send({ kind: 'echo-reply', data: message.data }, xid);
        else this.inbox.push({ xid, message });
      }
      for (const wake of this.waiting) wake();
    });
  }

  get waitingMessages(): OfMessage[] {
    return this.inbox.map(({ message }) => message);
  }

  static async open(path: string): Promise<LabConnection> {
    const socket = connect(path);
    const lab = new LabConnection(socket);
    lab.send({ kind: 'hello', versions: [6] });
    await lab.next((m) => m.kind === 'hello');
    return lab;
  }

  send(message: OfMessage, xid = (this.xid += 1)): number {
    this.socket.write(encode(message, xid));
    return xid;
  }

  /** The next message (already come or still to come) that the test accepts; it is taken out. */
  async next<T extends OfMessage>(
    test: ((m: OfMessage, xid: number) => m is T) | ((m: OfMessage, xid: number) => boolean),
  ): Promise<T> {
    for (;;) {
      const index = this.inbox.findIndex(({ message, xid }) => test(message, xid));
      const [found] = index < 0 ? [] : this.inbox.splice(index, 1);
      if (found !== undefined) return found.message as T;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.waiting.delete(wake);
          resolve();
        };
        this.waiting.add(wake);
      });
    }
  }

  /** Sends and waits for the barrier; gives the errors that came meanwhile. */
  async settle(): Promise<(Extract<OfMessage, { kind: 'error' }> & { xid: number })[]> {
    const barrier = this.send({ kind: 'barrier-request' });
    await this.next((m, xid) => m.kind === 'barrier-reply' && xid === barrier);
    const errors = this.inbox.flatMap(({ message, xid }) =>
      message.kind === 'error' ? [{ ...message, xid }] : [],
    );
    this.inbox.splice(0, this.inbox.length, ...this.inbox.filter(({ message }) => message.kind !== 'error'));
    return errors;
  }

  /** All replies of a request of statistics. */
  async ask<K extends OfMessage['kind']>(
    request: OfMessage,
    reply: K,
  ): Promise<Extract<OfMessage, { kind: K }>[]> {
    const xid = this.send(request);
    const parts: Extract<OfMessage, { kind: K }>[] = [];
    for (;;) {
      const part = await this.next((_m, x) => x === xid);
      if (part.kind !== reply) throw new Error(`${part.kind} instead of ${reply}: ${JSON.stringify(part)}`);
      parts.push(part as Extract<OfMessage, { kind: K }>);
      if (!('more' in part) || !part.more) return parts;
    }
  }

  /** Adds everything in one atomic bundle; gives what was refused, and then discards instead of committing. */
  async bundle(mods: readonly OfMessage[]): Promise<Refused[]> {
    const flags = { atomic: true, ordered: true };
    const bundle = (this.xid += 1);
    const control = (c: BundleControl) =>
      this.send({ kind: 'bundle-control', bundle, control: c, reply: false, flags });
    control('open');
    const sent = new Map<number, OfMessage>();
    for (const message of mods) sent.set(this.send({ kind: 'bundle-add', bundle, flags, message }), message);
    const refused = await this.settle();
    const end = control(refused.length === 0 ? 'commit' : 'discard');
    // A message may be refused at the commit too: then the commit is answered by an error.
    await this.next((_m, xid) => xid === end);
    refused.push(...(await this.settle()));
    await this.next((m) => m.kind === 'bundle-control' && m.control === 'open');
    return refused.map(({ type, code, xid }) => ({ type, code, message: sent.get(xid) }));
  }

  /** Every flow that stands, with what the model could not tell. */
  async flows(): Promise<{ flows: FlowStats[]; unreadable: UnreadableFlow[] }> {
    const all = { cookie: 0n, cookieMask: 0n, match: {} };
    const parts = await this.ask({ kind: 'flow-stats-request', ...all }, 'flow-stats-reply');
    return { flows: parts.flatMap((p) => p.flows), unreadable: parts.flatMap((p) => p.unreadable) };
  }

  close(): void {
    this.socket.destroy();
  }
}

export interface Refused {
  readonly type: number;
  readonly code: number;
  readonly message: OfMessage | undefined;
}
