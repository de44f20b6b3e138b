import { BATCH, tcpPort } from './side.js';

export const SWITCH = 'prod';
export const GROUP = 'web';
/** Ports of one segment that one frame can reach on a host, whatever their rules. */
const MOST_EACH = 400;

/** Groups that the ports of a host are spread over: more than these can't have one segment in common. */
export const groupsFor = (portsEach: number): readonly string[] =>
  Array.from({ length: Math.ceil(portsEach / MOST_EACH) }, (_, i) => (i === 0 ? GROUP : `${GROUP}-${i + 1}`));

const resource = (kind: string, name: string, spec: object) => ({
  apiVersion: 'portolan.dev/v1',
  kind,
  metadata: { name },
  spec,
});

/** A port with what it overrides. */
export const port = (id: string, override: object) => resource('Port', id, { override });

/** The groups, each in a segment of its own, with this filter. */
export function withFilter(groups: readonly string[], filter: object, forgedTransmits = true): object[] {
  const overridable = ['filter', 'forgedTransmits'];
  return groups.map((name, i) => {
    const policy = { vlan: { mode: 'access', id: 10 + i }, forgedTransmits, filter };
    return resource('PortGroup', name, { switch: SWITCH, autoExpand: true, overridable, policy });
  });
}

/** The same with a rule for each of these TCP ports. */
export const withRules = (
  groups: readonly string[],
  tcpPorts: readonly number[],
  forgedTransmits = true,
): object[] =>
  withFilter(
    groups,
    tcpPorts.map((tcp) => dropping(tcp)),
    forgedTransmits,
  );

export const batch = (n: number): number[] => Array.from({ length: BATCH }, (_, i) => tcpPort(n, i));

const TCP = 6;

export const dropping = (port: number, ipProtocol = TCP): object => ({
  name: `closed-${port}`,
  direction: 'out',
  action: 'drop',
  match: { ipProtocol, dstPort: { from: port, to: port } },
});
