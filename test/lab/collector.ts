import { createInterface } from 'node:readline';
import { end, startIn } from './exec.js';

const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    print(s.recv(65535).hex(), flush=True)
`;

/** A program in a namespace that takes datagrams: what flow exporters send, as it came. */
export class Collector {
  readonly datagrams: Buffer[] = [];
  private readonly child;
  private readonly ready: Promise<void>;

  constructor(
    netns: string,
    readonly address: string,
    port: number,
  ) {
    this.child = startIn(netns, ['python3', '-u', '-c', LISTEN, address, String(port)], { stdio: 'pipe' });
    const { stdout } = this.child;
    if (!stdout) throw new Error('no pipe to the collector');
    this.ready = new Promise((resolve, reject) => {
      this.child.once('exit', (code) => reject(new Error(`the collector ended with ${code}`)));
      createInterface({ input: stdout }).on('line', (line) => {
        if (line === 'ready') resolve();
        else this.datagrams.push(Buffer.from(line, 'hex'));
      });
    });
  }

  /** Resolves when it listens. */
  async listens(): Promise<void> {
    await this.ready;
  }

  async stop(): Promise<void> {
    await end(this.child, 'SIGKILL');
  }
}
