import { aptInstall, canInstall } from './debian.js';
import { guestObstacle } from './guest.js';
import { say, which } from './shell.js';

/** Program → the Debian package that has it. libvirt's driver for QEMU comes with the daemon; nothing is started. */
const NEEDED = { libvirtd: 'libvirt-daemon', virsh: 'libvirt-clients' };

const missing = () => Object.keys(NEEDED).filter((program) => which(program) === undefined);
const packagesOf = (programs) => programs.map((program) => NEEDED[program]);

/** Why no libvirt can run guests in the lab; undefined if it can. */
export function libvirtObstacle() {
  const programs = missing();
  if (programs.length > 0)
    return `${programs.join(', ')} missing: apt-get install ${packagesOf(programs).join(' ')}`;
  return guestObstacle();
}

/** Gets libvirt, where a lab runs at all. Never fails: the tests then say why they are left out. */
export async function ensureLibvirt() {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) return;
  const programs = missing();
  if (programs.length === 0 || !canInstall()) return;
  try {
    await aptInstall(packagesOf(programs));
  } catch (error) {
    say(`libvirt will be left out of the lab: ${error.message}`);
  }
}
