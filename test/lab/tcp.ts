import { expect } from '@jest/globals';
import { ACK, segment, SYN } from './conversation.js';
import { until } from './exec.js';
import { type Lab, type LabVm } from './net.js';
import { GUEST_IP, type SendingGuest } from './sending.js';
import { type End, GuestEnd, PeerEnd } from './tcp-ends.js';

/** What a guest under the policy of those that are moved may fetch from, serves, and might serve. */
export const TCP_PORTS = { fetched: 80, served: 22, closed: 23 } as const;
const LISTENS = (port: number): RegExp =>
  new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} 0+:0000 0A `);

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
    await guest.speakWith(peer);
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
