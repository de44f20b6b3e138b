import { createInterface } from 'node:readline';
import { end, startIn } from './exec.js';
import { type LabHost } from './host.js';

/** The kernel tells a device's counters with its end: what a tap that somebody else takes away had carried at last. */
const PROGRAM = `
import glob, socket, struct, sys
RTMGRP_LINK, RTM_DELLINK, IFLA_ADDRESS, IFLA_STATS64 = 1, 17, 1, 23
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
kernel.bind((0, RTMGRP_LINK))
kernel.setblocking(False)
gone = {}

def messages(data):
    while len(data) >= 16:
        length, kind = struct.unpack('=IH', data[:6])
        yield kind, data[32:length]
        data = data[(length + 3) & ~3:]

def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack('=HH', data[:4])
        if length < 4: break
        found[kind & 0x3fff] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found

def listen():
    while True:
        try: data = kernel.recv(1 << 18)
        except BlockingIOError: return
        for kind, body in messages(data):
            told = attributes(body) if kind == RTM_DELLINK else {}
            if IFLA_ADDRESS not in told or IFLA_STATS64 not in told: continue
            mac = ':'.join('%02x' % octet for octet in told[IFLA_ADDRESS])
            gone[mac] = gone.get(mac, 0) + struct.unpack('=Q', told[IFLA_STATS64][:8])[0]

def read(path):
    with open(path) as file: return file.read().strip()

print('ready', flush=True)
for line in sys.stdin:
    mac = line.strip()
    live, names = 0, []
    for device in glob.glob('/sys/class/net/*'):
        try:
            if read(device + '/address') != mac: continue
            live += int(read(device + '/statistics/rx_packets'))
            names.append(device.split('/')[-1])
        except FileNotFoundError: pass
    listen()
    print(live + gone.get(mac, 0), *names, flush=True)
`;

/** Counts what came out of a host's taps, also of those that went. */
export class TapCounts {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  private constructor(private readonly host: LabHost) {
    this.#child = startIn(host.netns, ['python3', '-u', '-c', PROGRAM], { stdio: 'pipe' });
    if (this.#child.stdout === null) throw new Error('no pipe to the counter of taps');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  static async start(host: LabHost): Promise<TapCounts> {
    const counts = new TapCounts(host);
    await counts.#next();
    return counts;
  }

  /**
   * Frames that came from guests by all taps with this MAC, but for those that found no room where the switch reads
   * them. To be asked while none of them comes or goes.
   */
  async of(mac: string): Promise<number> {
    this.#child.stdin?.write(`${mac}\n`);
    const [frames, ...taps] = (await this.#next()).split(' ');
    const overrun = await Promise.all(taps.map((tap) => this.host.overrun(tap)));
    return overrun.reduce((left, lost) => left - lost, Number(frames));
  }

  async stop(): Promise<void> {
    await end(this.#child, 'SIGKILL');
  }

  async #next(): Promise<string> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the counter of taps ended');
    return line.value;
  }
}
