import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { aptInstall, canInstall, rootPrefix } from './debian.js';
import { run, runLong, say, which } from './shell.js';

/** Program → the Debian package that has it. */
const NEEDED = { 'qemu-system-x86_64': 'qemu-system-x86', busybox: 'busybox-static' };
/** Of the kernel's package, in the order in which they are loaded. */
export const GUEST_MODULES = [
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci',
  'drivers/net/virtio_net',
  'net/core/pktgen',
];
const KERNEL = 'linux-image-cloud-amd64';
const cache = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portolan-lab');

const missing = () => Object.keys(NEEDED).filter((program) => which(program) === undefined);

/** The directory with `vmlinuz` and the modules of a guest's kernel; undefined if there is none yet. */
export function guestKernel() {
  const names = existsSync(cache()) ? readdirSync(cache()).filter((name) => name.startsWith('linux-')) : [];
  return names
    .sort()
    .map((name) => join(cache(), name))
    .at(-1);
}

/** Why real guests can't be run here; undefined if they can. */
export function guestObstacle() {
  if (process.arch !== 'x64') return `its guests are x86-64, and this is ${process.arch}`;
  const programs = missing();
  if (programs.length > 0)
    return `${programs.join(', ')} missing: apt-get install ${programs.map((p) => NEEDED[p]).join(' ')}`;
  return guestKernel() === undefined
    ? `no kernel for guests: ${KERNEL} could not be had by apt-get`
    : undefined;
}

/** Gets what guests are made of, where a lab runs at all. Never fails: the tests then say why they are left out. */
export async function ensureGuest() {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) return;
  if (guestObstacle() === undefined || !canInstall()) return;
  try {
    const programs = missing();
    if (programs.length > 0) await aptInstall(programs.map((program) => NEEDED[program]));
    if (guestKernel() === undefined) await fetchKernel();
  } catch (error) {
    say(`real guests will be left out of the lab: ${error.message}`);
  }
}

/** Taken out of its package, which is not installed: the machine's own kernel is none of the tests' business. */
async function fetchKernel() {
  mkdirSync(cache(), { recursive: true });
  const dir = mkdtempSync(join(cache(), 'new-'));
  try {
    const name = /Depends: (linux-image-\S+)/.exec(depends())?.[1];
    if (name === undefined) throw new Error(`apt-cache knows no kernel that ${KERNEL} stands for`);
    say(`fetching ${name} for the lab's guests`);
    await runLong('apt-get download', 'sh', ['-c', `cd "$1" && apt-get -q download "$2"`, 'sh', dir, name]);
    const wanted = ['./boot/vmlinuz-*', ...GUEST_MODULES.map((m) => `./lib/modules/*/kernel/${m}.ko`)];
    const unpack = 'cd "$1" && shift && dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards "$@"';
    run('sh', ['-c', unpack, 'sh', dir, ...wanted]);
    const flatten =
      'cd "$1" && mv boot/vmlinuz-* vmlinuz && find lib -name "*.ko" -exec mv {} . \\; && rm -r boot lib ./*.deb';
    run('sh', ['-c', flatten, 'sh', dir]);
    renameSync(dir, join(cache(), name.replace('linux-image-', 'linux-')));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function depends() {
  try {
    return run('apt-cache', ['depends', KERNEL]);
  } catch {
    // The lists of packages were never fetched.
    const [program, ...args] = [...rootPrefix(), 'apt-get', '-q', 'update'];
    run(program, args);
    return run('apt-cache', ['depends', KERNEL]);
  }
}
