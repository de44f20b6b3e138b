import { type ChildProcess } from 'node:child_process';
import { end, startIn, until } from '../../lab/exec.js';
import { daemonOptions, type LabHost } from '../../lab/host.js';

/** OVN's own bridge on every host. */
export const BRIDGE = 'br-int';

/** Makes a host a chassis of OVN: who it is, where the southbound database is, and its tunnels' end. */
export async function startController(
  host: LabHost,
  number: number,
  southbound: string,
): Promise<ChildProcess> {
  const ids = {
    'system-id': host.name,
    'ovn-remote': southbound,
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': `10.99.${number >> 8}.${(number & 255) + 1}`,
    'ovn-bridge-datapath-type': 'netdev',
  };
  const set = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
  await host.vsctl('set', 'Open_vSwitch', '.', ...set);
  const env = { OVN_RUNDIR: host.rundir, OVN_LOGDIR: host.rundir, OVS_RUNDIR: host.rundir };
  const options = daemonOptions('ovn-controller', host.rundir);
  const child = startIn(host.netns, ['setsid', 'ovn-controller', host.database, ...options], { env });
  await until(`the bridge of OVN on ${host.name}`, async () => {
    if (child.exitCode !== null) throw new Error(`ovn-controller ended with ${child.exitCode}`);
    await host.vsctl('br-exists', BRIDGE);
    return true;
  });
  return child;
}

export const stopController = (child: ChildProcess): Promise<void> => end(child, 'SIGKILL');
