import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabHost } from '../../lab/host.js';

/** A port of the comparison: the same on both sides. */
export interface PortPlan {
  readonly name: string;
  readonly host: string;
  readonly device: string;
  readonly mac: string;
  readonly ip: string;
}

/** `each` ports on every host. */
export function portsOf(hosts: readonly string[], each: number): PortPlan[] {
  return hosts.flatMap((host, h) =>
    Array.from({ length: each }, (_, i) => {
      const bytes = [h, i >> 8, i & 255];
      return {
        name: `vm-${h}-${i}`,
        host,
        device: `tap${i}`,
        mac: `02:00:00:${bytes.map((b) => b.toString(16).padStart(2, '0')).join(':')}`,
        ip: `10.${bytes.join('.')}`,
      };
    }),
  );
}

/** So many ports in one call of ovs-vsctl. */
const AT_ONCE = 200;

/** Plugs ports as a hypervisor does. On a real switch each is a veth pair; a dummy switch makes up its devices. */
export async function plug(
  host: LabHost,
  bridge: string,
  ports: readonly PortPlan[],
  ids: (port: PortPlan) => Readonly<Record<string, string>>,
  isReal: boolean,
): Promise<void> {
  if (isReal) await makeDevices(host, ports);
  for (let i = 0; i < ports.length; i += AT_ONCE) {
    const words = ports.slice(i, i + AT_ONCE).flatMap((port) => {
      const set = Object.entries(ids(port)).map(([key, value]) => `external_ids:${key}="${value}"`);
      return ['--', 'add-port', bridge, port.device, '--', 'set', 'Interface', port.device, ...set];
    });
    await host.vsctl(...words.slice(1));
  }
}

/** A veth pair for each. */
export async function makeDevices(host: LabHost, ports: readonly PortPlan[]): Promise<void> {
  const lines = ports.flatMap(({ device }) => [
    `link add ${device} type veth peer name ${device}g`,
    `link set ${device} up`,
    `link set ${device}g up`,
  ]);
  const file = join(host.rundir, 'devices');
  await writeFile(file, `${lines.join('\n')}\n`);
  await host.exec('ip', '-batch', file);
}
