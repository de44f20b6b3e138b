import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { end, startIn } from './exec.js';
import { type LabVm } from './vm.js';

/** Joins and leaves groups by the kernel's own sockets, a socket each, and says when it is done. */
const PROGRAM = `
import socket, struct, sys
held = {}
for line in sys.stdin:
    what, group, device = line.split()
    index = socket.if_nametoindex(device)
    if ':' in group:
        family, level, join, leave = socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.IPV6_LEAVE_GROUP
        wanted = socket.inet_pton(family, group) + struct.pack('@I', index)
    else:
        family, level, join, leave = socket.AF_INET, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP
        wanted = socket.inet_aton(group) + struct.pack('@4si', b'', index)
    if what == 'join':
        held[group, device] = socket.socket(family, socket.SOCK_DGRAM)
        held[group, device].setsockopt(level, join, wanted)
    else:
        held.pop((group, device)).setsockopt(level, leave, wanted)
    print('done', flush=True)
`;

/** A program in a guest that listens to multicast groups. */
export class Listener {
  readonly #child;
  readonly #lines;

  constructor(vm: Pick<LabVm, 'netns'>) {
    this.#child = startIn(vm.netns, ['python3', '-u', '-c', PROGRAM], { stdio: 'pipe' });
    if (this.#child.stdout === null) throw new Error('no pipe to the listener');
    this.#lines = createInterface({ input: this.#child.stdout });
  }

  join(group: string, device = 'eth0'): Promise<void> {
    return this.#do('join', group, device);
  }

  leave(group: string, device = 'eth0'): Promise<void> {
    return this.#do('leave', group, device);
  }

  async stop(): Promise<void> {
    await end(this.#child);
  }

  async #do(what: string, group: string, device: string): Promise<void> {
    const done = Promise.race([once(this.#lines, 'line'), once(this.#child, 'exit')]);
    this.#child.stdin?.write(`${what} ${group} ${device}\n`);
    const [line] = (await done) as unknown[];
    if (line !== 'done') throw new Error(`the listener ended: ${what} ${group}`);
  }
}
