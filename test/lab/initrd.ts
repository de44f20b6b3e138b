import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GUEST_MODULES } from './setup.js';

/** Reads commands from the console, line by line, each after its number, and says with what each ended. */
const INIT = (modules: readonly string[]) => `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
for m in ${modules.join(' ')}; do insmod /modules/$m.ko || echo "FAILED $m"; done
ip link set eth0 up
stty -F /dev/ttyS0 -echo
echo READY
while read -r number line; do eval "$line"; echo "DONE $number $?"; done < /dev/ttyS0
`;

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly data?: Uint8Array;
}

/** A guest's whole file system: busybox, the modules of its devices and of its packet generator, and the script above. */
export async function initrd(kernelDir: string, busybox: string): Promise<Uint8Array> {
  const names = GUEST_MODULES.map((path) => path.split('/').at(-1) ?? '');
  const modules = names.map(async (name): Promise<Entry> => {
    const data = await readFile(join(kernelDir, `${name}.ko`));
    return { name: `modules/${name}.ko`, mode: 0o100644, data };
  });
  const dirs = ['bin', 'dev', 'proc', 'sys', 'modules'].map((name) => ({ name, mode: 0o40755 }));
  return gzipSync(
    cpio([
      ...dirs,
      { name: 'bin/busybox', mode: 0o100755, data: await readFile(busybox) },
      ...(await Promise.all(modules)),
      { name: 'init', mode: 0o100755, data: Buffer.from(INIT(names)) },
    ]),
    { level: 1 },
  );
}

/** The "newc" form, which the kernel unpacks. */
function cpio(entries: readonly Entry[]): Uint8Array {
  const all = [...entries, { name: 'TRAILER!!!', mode: 0 }];
  return Buffer.concat(all.flatMap((entry, i) => packed(entry, i + 1)));
}

function packed({ name, mode, data = new Uint8Array() }: Entry, inode: number): readonly Uint8Array[] {
  // inode, mode, uid, gid, links, mtime, size, device (2), rdev (2), length of the name, check
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return [Buffer.from(header), filler(header.length), data, filler(data.length)];
}

const filler = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);
