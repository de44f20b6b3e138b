import { BATCH, tcpPort } from './side.js';

export const SWITCH = 'prod';
export const GROUP = 'web';

const resource = (kind: string, name: string, spec: object) => ({
  apiVersion: 'portolan.dev/v1',
  kind,
  metadata: { name },
  spec,
});

/** A port with what it overrides. */
export const port = (id: string, override: object) => resource('Port', id, { override });

/** The group with a rule for each of these TCP ports. */
export function group(tcpPorts: readonly number[], forgedTransmits = true): object {
  const policy = { vlan: { mode: 'access', id: 10 }, forgedTransmits, filter: tcpPorts.map(dropping) };
  const overridable = ['filter', 'forgedTransmits'];
  return resource('PortGroup', GROUP, { switch: SWITCH, autoExpand: true, overridable, policy });
}

export const batch = (n: number): number[] => Array.from({ length: BATCH }, (_, i) => tcpPort(n, i));

export const dropping = (tcp: number): object => ({
  name: `closed-${tcp}`,
  direction: 'out',
  action: 'drop',
  match: { ipProtocol: 6, dstPort: { from: tcp, to: tcp } },
});
