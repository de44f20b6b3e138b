import { aptInstall, canInstall, quietServices } from './debian.js';
import { labObstacle } from './lab.js';
import { which } from './shell.js';

/** Program → the Debian package that has it. */
const NEEDED = {
  'ovn-nbctl': 'ovn-common',
  'ovn-northd': 'ovn-central',
  'ovn-controller': 'ovn-host',
};
const SERVICES = ['ovn-central', 'ovn-host'];

const missing = () => Object.keys(NEEDED).filter((program) => which(program) === undefined);

/** Why a comparison with OVN can't be had here; undefined if it can. */
export function ovnObstacle() {
  const obstacle = labObstacle();
  if (obstacle !== undefined) return obstacle;
  const programs = missing();
  return programs.length === 0
    ? undefined
    : `${programs.join(', ')} missing: apt-get install ovn-central ovn-host`;
}

/** Installs OVN to be compared with, where it could run at all. Throws a SetupError when that fails. */
export async function ensureOvn() {
  const programs = missing();
  if (programs.length === 0 || labObstacle() !== undefined || !canInstall()) return;
  await aptInstall([...new Set(programs.map((program) => NEEDED[program]))]);
  quietServices(SERVICES);
}
