import { type PortPlan } from './ports.js';
import { BATCH, tcpPort, type ChangeName } from './side.js';

export const SWITCH = 'prod';
export const GROUP = 'web';
export const ALL = `@${GROUP}`;
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
      return isMade ? ruleOfEach(ports, n) : [['clear', 'Port_Group', GROUP, 'acls'], standingRule];
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

/** What `acl-add` does, without its search through all rules for each: that is the tool's time, and not OVN's. */
const ruleOfEach = (ports: readonly PortPlan[], n: number): Words[] =>
  rulesOf(ports.map(({ name }) => [name, tcpPort(n)]));

/** A rule of one port each: its name, and the TCP port. */
export function rulesOf(rules: readonly Rule[]): Words[] {
  const row = ([name, tcp]: Rule, i: number): Words => {
    const [, direction, priority, match] = matching([`"${name}"`, tcp]);
    const values = { direction, priority, match: JSON.stringify(match), action: 'drop' };
    const words = Object.entries(values).map(([column, value]) => `${column}=${value}`);
    return [`--id=@a${i}`, 'create', 'ACL', ...words];
  };
  return [...rules.map(row), ['add', 'Port_Group', GROUP, 'acls', ...rules.map((_, i) => `@a${i}`)]];
}

export const defineSwitch: Words = ['ls-add', SWITCH];

/**
 * Ports of the switch, as `lsp-add` and `lsp-set-addresses` make them: those look through all addresses of all ports
 * for each, which takes them minutes with ten thousand.
 */
export function definePorts(ports: readonly PortPlan[]): Words[] {
  const row = ({ name, mac, ip }: PortPlan, i: number): Words => [
    ...[`--id=@p${i}`, 'create', 'Logical_Switch_Port', `name=${name}`, `addresses="${mac} ${ip}"`],
  ];
  return [...ports.map(row), ['add', 'Logical_Switch', SWITCH, 'ports', ...ports.map((_, i) => `@p${i}`)]];
}

export const defineGroup = (ports: readonly PortPlan[]): Words => [
  'pg-add',
  GROUP,
  ...ports.map((p) => p.name),
];
