import { type PortPlan } from './ports.js';
import { BATCH, tcpPort, type ChangeName } from './side.js';

export const SWITCH = 'prod';
export const GROUP = 'web';
const ALL = `@${GROUP}`;
const PRIORITY = '1000';
/** The rule that always stands, as on the other side. */
const STANDING = 999;

type Words = readonly string[];
/** A port or all of them, in OVN's words, and a TCP port. */
type Rule = readonly [port: string, tcp: number];

/** The commands of ovn-nbctl that make a change, or take it back. */
export function wordsOf(change: ChangeName, n: number, ports: readonly PortPlan[], isMade: boolean): Words[] {
  const one = ports[n % ports.length]!;
  const rules = (all: readonly Rule[]): Words[] => all.map(isMade ? aclAdd : aclDel);
  // Port security is a list of addresses at each port.
  const security = (all: readonly PortPlan[]): Words[] =>
    all.map(({ name, mac }) => ['lsp-set-port-security', name, ...(isMade ? [mac] : [])]);
  switch (change) {
    case 'rule':
      return rules([[ALL, tcpPort(n)]]);
    case 'batch':
      return rules(Array.from({ length: BATCH }, (_, i) => [ALL, tcpPort(n, i)] as const));
    case 'portRule':
      return rules([[`"${one.name}"`, tcpPort(n)]]);
    case 'eachRule':
      return rules(ports.map((port) => [`"${port.name}"`, tcpPort(n)] as const));
    case 'security':
      return security(ports);
    case 'portSecurity':
      return security([one]);
  }
}

const matching = ([port, tcp]: Rule): Words => [
  ...[GROUP, 'to-lport', PRIORITY, `outport == ${port} && tcp && tcp.dst == ${tcp}`],
];
const aclAdd = (rule: Rule): Words => ['acl-add', ...matching(rule), 'drop'];
const aclDel = (rule: Rule): Words => ['acl-del', ...matching(rule)];

export const standingRule: Words = aclAdd([ALL, STANDING]);
