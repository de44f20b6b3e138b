import { aptInstall, canInstall, quietServices } from './debian.js';
import { run, say, which } from './shell.js';

/** Program → the Debian package that has it. */
const NEEDED = {
  'ovs-vswitchd': 'openvswitch-switch',
  'ovsdb-server': 'openvswitch-switch',
  'ovsdb-tool': 'openvswitch-common',
  'ovs-ofctl': 'openvswitch-common',
  ip: 'iproute2',
  ethtool: 'ethtool',
  tcpdump: 'tcpdump',
  python3: 'python3',
};
const OVS_SERVICES = ['openvswitch-switch', 'ovs-vswitchd', 'ovsdb-server'];

const missing = () => Object.keys(NEEDED).filter((program) => which(program) === undefined);

/** Why the lab (root, network namespaces, Open vSwitch) can't be had here; undefined if it can. */
export function labObstacle() {
  if (process.platform !== 'linux')
    return `it needs Linux network namespaces, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root (network namespaces, Open vSwitch)';
  const programs = missing();
  if (programs.length > 0) return `${programs.join(', ')} missing`;
  return namespaceObstacle();
}

/** Installs what the lab lacks, where it could run at all. Never fails: the lab then says why it is left out. */
export async function ensureLabPackages() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  const programs = missing();
  if (programs.length === 0) return;
  if (!canInstall())
    return say(`the lab will be left out: ${programs.join(', ')} missing and no apt-get here`);
  const packages = [...new Set(programs.map((program) => NEEDED[program]))];
  try {
    await aptInstall(packages);
    if (packages.includes('openvswitch-switch')) quietServices(OVS_SERVICES);
  } catch (error) {
    say(`the lab will be left out: ${error.message}`);
  }
}

function namespaceObstacle() {
  const name = `portolan-probe-${process.pid}`;
  try {
    run('ip', ['netns', 'add', name]);
    run('ip', ['netns', 'delete', name]);
    return undefined;
  } catch (error) {
    return `network namespaces can't be made: ${error.message.split('\n').at(-1)}`;
  }
}
