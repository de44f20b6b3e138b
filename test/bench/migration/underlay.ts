import { ip } from '../../lab/exec.js';
import { type LabHost } from '../../lab/host.js';

const BRIDGE = 'br-phy';

/** What tunnels of a userspace switch need: a bridge with the uplink, and the tunnels' address on it. */
export async function underlay(host: LabHost, number: number): Promise<void> {
  const [uplink = ''] = host.uplinks;
  await host.vsctl('add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, 'datapath_type=netdev');
  await host.vsctl('add-port', BRIDGE, uplink);
  await ip('-n', host.netns, 'addr', 'add', `10.99.0.${number + 1}/16`, 'dev', BRIDGE);
  await ip('-n', host.netns, 'link', 'set', BRIDGE, 'up');
}
