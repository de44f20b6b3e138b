import { until } from '../../../deploy/quickstart/api.js';
import { bridgeName } from '#compiler';
import { type Lab } from '../../lab/net.js';
import { onSwitch } from '../../lab/on-switch.js';
import { withCluster } from '../support/cluster.js';
import { Installed } from './installed.js';
import { GROUP, SWITCH } from './our-manifest.js';
import { OurSide } from './our-side.js';
import { plug, portsOf, type PortPlan } from './ports.js';

/** Runs `work` with a cluster on the hosts of a lab, each with so many ports. `watched`: by a witness at each switch. */
export function withOurs<T>(
  lab: Lab,
  hosts: readonly string[],
  portsEach: number,
  say: (line: string) => void,
  work: (side: OurSide) => Promise<T>,
  watched = true,
): Promise<T> {
  const plans = hosts.map((name) => ({
    name,
    env: onSwitch(lab.host(name)),
  }));
  return withCluster({ say, hosts: () => plans }, async (it) => {
    await OurSide.define(it, hosts, 'up0', portsEach);
    const bridge = bridgeName(SWITCH);
    for (const name of hosts) await until(`the bridge of ${name}`, async () => has(lab, name, bridge));
    const witness = watched ? await Installed.watch(lab, hosts, bridge) : undefined;
    const side = new OurSide(it, hosts, portsEach, {}, witness);
    try {
      const ports = portsOf(hosts, portsEach);
      for (const name of hosts) {
        await plug(
          lab.host(name),
          bridge,
          ports.filter((p) => p.host === name),
          ids,
          true,
        );
      }
      await side.connected(ports.length);
      return await work(side);
    } finally {
      side.close();
      await witness?.stop();
    }
  });
}

/** The switch has made it, and speaks OpenFlow there. */
const has = (lab: Lab, name: string, bridge: string): Promise<true> =>
  lab
    .host(name)
    .ofctl('show', bridge)
    .then(() => true);

export const ids = ({ name, mac }: PortPlan) => ({
  'iface-id': name,
  'attached-mac': mac,
  'vm-id': name,
  'port-profile': GROUP,
  'iface-status': 'active',
});
