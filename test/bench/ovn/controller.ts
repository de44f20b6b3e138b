import { type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '#kernel';
import { Unixctl } from '#ovs';
import { end, startIn, until } from '../../lab/exec.js';
import { daemonOptions, type LabHost } from '../../lab/host.js';

/** OVN's own bridge on every host. */
export const BRIDGE = 'br-int';
/** It reads all of the southbound database first. */
const CONNECTED_MS = 120_000;

/** The bridge as OVN's controller would make it. */
export async function makeBridge(host: LabHost): Promise<void> {
  // Else a switch that shares its processors with many others gives up, after 10 s, what its controller is still sending.
  await host.vsctl('set', 'Open_vSwitch', '.', 'other_config:bundle-idle-timeout=600');
  const values = ['fail_mode=secure', 'datapath_type=netdev', 'other_config:disable-in-band=true'];
  await host.vsctl('add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, ...values);
}

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
    'ovn-remote-probe-interval': '0',
    // Every host has ports of the one switch, so each would ask for all of it, piece by piece.
    'ovn-monitor-all': 'true',
    'ovn-openflow-probe-interval': '0',
  };
  const set = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
  await host.vsctl('set', 'Open_vSwitch', '.', ...set);
  const env = { OVN_RUNDIR: host.rundir, OVN_LOGDIR: host.rundir, OVS_RUNDIR: host.rundir };
  const options = daemonOptions('ovn-controller', host.rundir);
  const child = startIn(host.netns, ['setsid', 'ovn-controller', host.database, ...options], { env });
  const control = new Unixctl(() => controlOf(host.rundir), systemClock);
  try {
    await until(
      `the controller of OVN on ${host.name}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`ovn-controller ended with ${child.exitCode}`);
        const said = (await control.call('connection-status')).trim();
        return said === 'connected' ? true : undefined;
      },
      CONNECTED_MS,
    );
  } finally {
    control.close();
  }
  return child;
}

async function controlOf(rundir: string): Promise<{ readonly kind: 'unix'; readonly path: string }> {
  const pid = (await readFile(join(rundir, 'ovn-controller.pid'), 'utf8')).trim();
  return { kind: 'unix', path: join(rundir, `ovn-controller.${pid}.ctl`) };
}

export const stopController = (child: ChildProcess): Promise<void> => end(child, 'SIGKILL');
