import { until } from '../../deploy/quickstart/api.js';
import { bridgeName } from '#compiler';
import { Lab } from '../lab/net.js';
import { onSwitch } from '../lab/on-switch.js';
import { withCluster, type BenchCluster } from './support/cluster.js';
import { needing, type Figure } from './support/figure.js';
import { dropping, manifest } from './support/manifest.js';
import { Sender, timed } from './support/one-by-one.js';
import { spread } from './support/stats.js';

const SIZES = [2, 4, 8];
const CHANGES = 100;
/** Told apart: services that have just started run code that is not compiled yet. */
const FIRST = 40;
const WARM_UP = 200;
const VMS = 3;

/** A group's policy changes, over HTTP, until it is realised on every host: real switches in namespaces. */
export const policyOvs = needing('lab', async (say) => {
  const figures: Figure[] = [];
  for (const size of SIZES) figures.push(...(await onHosts(size, say)));
  return figures;
});

async function onHosts(size: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const names = Array.from({ length: size }, (_, i) => `h${i + 1}`);
  say(`${size} hosts`);
  const lab = await Lab.create({ hosts: names });
  try {
    const hosts = names.map((name) => ({
      name,
      env: onSwitch(lab.host(name)),
    }));
    return await withCluster({ say, hosts: () => hosts }, (it) => measure(it, lab, names));
  } finally {
    await lab.destroy();
  }
}

async function measure(
  { api, cluster }: BenchCluster,
  lab: Lab,
  names: readonly string[],
): Promise<readonly Figure[]> {
  const group = (n: number) => ({ name: 'web', switch: 'prod', policy: dropping(n) });
  const net = { name: 'prod', hosts: names, device: 'up0' };
  await api.apply(manifest({ hosts: names, switch: net, groups: [group(0)] }), 30);
  for (const [h, name] of names.entries())
    for (let v = 1; v <= VMS; v++) {
      const id = `vm-${h}-${v}`;
      const [mac, ip] = [`02:00:00:00:0${h}:0${v}`, `10.0.${h}.${v}`];
      const bridge = bridgeName('prod');
      await lab.addVm(name, { bridge, name: id, mac, ip, ifaceId: `${id}-eth0`, profile: 'web' });
    }
  await until(
    'the guests to be connected',
    async () => (await api.status()).counts.connected >= names.length * VMS,
  );
  const http = new Sender(cluster.api);
  let n = 0;
  const write = (path: string) =>
    http.send('POST', path, { resources: [JSON.parse(manifest({ groups: [group(n)] }))] });
  const change = async (): Promise<void> => {
    n += 1;
    const { realised } = await write('/v1/apply?wait=10');
    if (realised?.realised !== true || realised.of !== names.length)
      throw new Error(`change ${n} was not realised: ${JSON.stringify(realised)}`);
  };
  try {
    const first = await timed(FIRST, change);
    await timed(WARM_UP, change);
    const times = await timed(CHANGES, change);
    const what = `policy change, request to realised, ${names.length} hosts`;
    return [
      { bench: 'policy-ovs', what, unit: 'ms', spread: spread(times), detail: { guestsEach: VMS } },
      { bench: 'policy-ovs', what: `${what}: the first`, unit: 'ms', spread: spread(first) },
    ];
  } finally {
    http.close();
  }
}
