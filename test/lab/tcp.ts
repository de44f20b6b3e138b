import { expect } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { which } from '../../deploy/setup/shell.js';
import { ACK, segment, SYN } from './conversation.js';
import { end, startIn, until } from './exec.js';
import { type Lab, type LabVm } from './net.js';
import { GUEST_IP, type SendingGuest } from './sending.js';

/** What a guest under the policy of those that are moved may fetch from, serves, and might serve. */
export const TCP_PORTS = { fetched: 80, served: 22, closed: 23 } as const;
/** What is lost on the way is sent again, ever later. */
const HEARD_MS = 60_000;
const LISTENS = (port: number): RegExp =>
  new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} 0+:0000 0A `);

/** One end of one connection, with `nc`: it begins it, or takes one and then no other. Its lines are numbered. */
abstract class End {
  #said = 0;

  abstract start(...how: readonly string[]): Promise<void>;
  protected abstract write(line: string): Promise<void>;
  /** Everything that the other end said. */
  protected abstract heard(): Promise<string>;
  /** TCP's sockets of the whole machine. */
  abstract sockets(): Promise<string>;

  /** One more line; resolves when the other end has all of them, each once. */
  async tell(other: End): Promise<void> {
    this.#said += 1;
    await this.write(String(this.#said));
    const all = Array.from({ length: this.#said }, (_, i) => String(i + 1)).join('\n');
    const isThere = async () => (await other.heard()).trim() === all || undefined;
    await until(`line ${this.#said} to be heard`, isThere, HEARD_MS);
  }
}

class GuestEnd extends End {
  /** `output`: a file descriptor of the guest's shell that nobody else has. */
  constructor(
    private readonly guest: SendingGuest,
    private readonly output: number,
  ) {
    super();
  }

  async start(...how: readonly string[]): Promise<void> {
    await this.guest.type(`mkfifo /said${this.output}`);
    await this.guest.type(`nc ${how.join(' ')} < /said${this.output} > /heard${this.output} &`);
    await this.guest.type(`exec ${this.output}> /said${this.output}`);
  }

  protected async write(line: string): Promise<void> {
    await this.guest.type(`echo ${line} >&${this.output}`);
  }

  protected heard(): Promise<string> {
    return this.guest.type(`cat /heard${this.output}`);
  }

  sockets(): Promise<string> {
    return this.guest.type('cat /proc/net/tcp*');
  }
}

class PeerEnd extends End {
  #child: ReturnType<typeof startIn> | null = null;
  #heard = '';

  constructor(private readonly vm: LabVm) {
    super();
  }

  start(...how: readonly string[]): Promise<void> {
    this.#child = startIn(this.vm.netns, [which('busybox') as string, 'nc', ...how], { stdio: 'pipe' });
    this.#child.stdout?.on('data', (text: Buffer) => (this.#heard += text.toString()));
    return Promise.resolve();
  }

  protected write(line: string): Promise<void> {
    this.#child?.stdin?.write(`${line}\n`);
    return Promise.resolve();
  }

  protected heard(): Promise<string> {
    return Promise.resolve(this.#heard);
  }

  sockets(): Promise<string> {
    return this.vm.exec('sh', '-c', 'cat /proc/net/tcp*');
  }

  async stop(): Promise<void> {
    if (this.#child !== null) await end(this.#child);
  }
}

/** TCP between the kernels of a guest and of a peer: a connection that the guest began, and one that it took. */
export class Connections {
  readonly #fetched: readonly [GuestEnd, PeerEnd];
  readonly #served: readonly [GuestEnd, PeerEnd];

  private constructor(
    private readonly guest: SendingGuest,
    private readonly peer: LabVm,
  ) {
    this.#fetched = [new GuestEnd(guest, 8), new PeerEnd(peer)];
    this.#served = [new GuestEnd(guest, 9), new PeerEnd(peer)];
  }

  /** The peer's kernel must have its address (`kernelIp`). */
  static async begin(lab: Lab, guest: SendingGuest, peer: LabVm): Promise<Connections> {
    // Both know the other's MAC: what they send is TCP alone, and nothing by the clock.
    await guest.type(`ip addr add ${GUEST_IP}/24 dev eth0`);
    await guest.type(`arp -s ${peer.ip} ${peer.mac}`);
    await peer.exec('ip', 'neigh', 'add', GUEST_IP, 'lladdr', guest.options.mac, 'dev', 'eth0');
    const made = new Connections(guest, peer);
    lab.hold(made);
    const [[asks, fetched], [served, calls]] = [made.#fetched, made.#served];
    await connect(asks, fetched, peer.ip, TCP_PORTS.fetched);
    await connect(calls, served, GUEST_IP, TCP_PORTS.served);
    return made;
  }

  /**
   * Both are gone on with. Who took it speaks first: that passes as part of a connection, or never. The guest speaks
   * last, so that it has nothing more to send.
   */
  async goOn(): Promise<void> {
    const [[asks, fetched], [served, calls]] = [this.#fetched, this.#served];
    await fetched.tell(asks);
    await asks.tell(fetched);
    await served.tell(calls);
    await calls.tell(served);
    await served.tell(calls);
  }

  /** An answer in a connection that nobody began is kept from the guest; one more that may be begun is not. */
  async expectNoOther(): Promise<void> {
    const { mac, ip } = this.peer;
    const web = { mac: this.guest.options.mac, ip: GUEST_IP };
    const before = await this.#resets();
    const answer = segment({ mac, ip, port: TCP_PORTS.fetched }, { ...web, port: 40_000 }, ACK);
    await this.peer.sendRaw(answer, 5);
    // Behind it, and by the same way: the guest's kernel refuses both, and counts that.
    await this.peer.sendRaw(segment({ mac, ip, port: 40_001 }, { ...web, port: TCP_PORTS.closed }, SYN));
    const after = await until('a connection to be refused', async () => {
      const now = await this.#resets();
      return now > before ? now : undefined;
    });
    expect(after - before).toBe(1);
  }

  /** Resolves when they are over, and the guest has nothing more to send. */
  async end(): Promise<void> {
    await this.stop();
    const [guest] = this.#fetched;
    await until(
      'the guest’s ends to be closed',
      async () => !/^ *\d+: /m.test(await guest.sockets()) || undefined,
    );
  }

  async stop(): Promise<void> {
    for (const [, peer] of [this.#fetched, this.#served]) await peer.stop();
  }

  /** Segments with which the guest refused something. */
  async #resets(): Promise<number> {
    const [names = '', values = ''] = (await this.guest.type('grep ^Tcp: /proc/net/snmp')).split('\n');
    return Number(values.split(' ')[names.split(' ').indexOf('OutRsts')]);
  }
}

async function connect(by: End, to: End, address: string, port: number): Promise<void> {
  await to.start('-l', '-p', String(port));
  await until(
    `somebody to listen at ${port}`,
    async () => LISTENS(port).test(await to.sockets()) || undefined,
  );
  await by.start(address, String(port));
  await by.tell(to);
  await to.tell(by);
}
