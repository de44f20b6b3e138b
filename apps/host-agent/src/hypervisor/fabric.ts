import { createSocket, type Socket } from 'node:dgram';

export interface FabricPeer {
  readonly host: string;
  /** 127.0.0.1:<port>. */
  readonly address: string;
}

/**
 * The physical network of simulated hosts: every uplink of a name is on one segment with the same uplink of all
 * peers. A frame is one datagram on loopback: `<uplink device>\0<frame>`. May lose and reorder, as networks do.
 */
export class UdpFabric {
  #socket: Socket | null = null;

  constructor(
    private readonly listen: string,
    private readonly peers: readonly FabricPeer[],
    private readonly deliver: (device: string, frame: Uint8Array) => void,
  ) {}

  async start(): Promise<void> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    const [host, port] = split(this.listen);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // A peer that is not there yet answers with ICMP; that is its loss, not ours.
    socket.on('error', () => undefined);
    socket.on('message', (message) => {
      const end = message.indexOf(0);
      if (end < 1 || end > 64) return;
      this.deliver(message.toString('latin1', 0, end), message.subarray(end + 1));
    });
    this.#socket = socket;
  }

  send(device: string, frame: Uint8Array): void {
    const socket = this.#socket;
    if (socket === null) return;
    const message = Buffer.concat([Buffer.from(`${device}\0`, 'latin1'), frame]);
    for (const peer of this.peers) {
      const [host, port] = split(peer.address);
      socket.send(message, port, host);
    }
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

function split(address: string): [string, number] {
  const at = address.lastIndexOf(':');
  return [address.slice(0, at), Number(address.slice(at + 1))];
}
