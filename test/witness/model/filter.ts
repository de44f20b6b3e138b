import { type FilterMatch, type FilterRule, type TcpFlag } from '#domain';
import { type End, type Sets } from './sets.js';
import { isWithin, PROTOCOL, typeOf, type Frame, type Ip } from './frame.js';

/** Seen from the port: `in` is what its guest sends. */
export type Way = 'in' | 'out';

/** A frame as rules see it: the tags that it still bears hide what is behind them. */
export interface Seen {
  readonly frame: Frame;
  readonly segment: number;
  /** The priority in the tag with which it came, or what a rule before made of it. */
  readonly cos: number;
  readonly sets: Pick<Sets, 'has'>;
}

export const TIERS = [0, 1, 2, 3] as const;

export const rulesOf = (rules: readonly FilterRule[], way: Way, tier: number): FilterRule[] =>
  rules.filter((r) => r.enabled && r.tier === tier && (r.direction === way || r.direction === 'both'));

/** The rule that decides; undefined: none does, and the default holds. */
export function decidingRule(rules: readonly FilterRule[], way: Way, seen: Seen): FilterRule | undefined {
  for (const tier of TIERS) {
    const first = rulesOf(rules, way, tier).find((rule) => matches(rule.match, seen));
    if (first !== undefined && first.action !== 'pass') return first;
  }
  return undefined;
}

export function matches(m: FilterMatch, seen: Seen): boolean {
  const { frame, segment, cos } = seen;
  const hidden = frame.tags.length > 0;
  const type = hidden ? 0x8100 : typeOf(frame);
  const { body } = frame;
  return (
    is(m.srcMac, (want) => sameMac(frame.from, want)) &&
    is(m.dstMac, (want) => sameMac(frame.to, want)) &&
    is(m.etherType, (want) => type === want) &&
    is(m.vlan, (want) => segment === want) &&
    is(m.cos, (want) => cos === want) &&
    isInSets(m, seen) &&
    (!speaksOfIp(m) || (!hidden && body.kind === 'ip' && matchesIp(m, body)))
  );
}

/** Whether both ends are in the sets that a match names. */
export function isInSets({ srcSet, dstSet }: FilterMatch, { frame, segment, sets }: Seen): boolean {
  const isIn = (end: End) => (name: string) => sets.has(name, end, frame, segment);
  return is(srcSet, isIn('src')) && is(dstSet, isIn('dst'));
}

const is = <T>(want: T | undefined, test: (want: T) => boolean): boolean => want === undefined || test(want);

const IP_FIELDS = [
  'ipVersion',
  'ipProtocol',
  'src',
  'dst',
  'srcPort',
  'dstPort',
  'icmpType',
  'icmpCode',
  'tcpFlags',
  'dscp',
  'fragments',
] as const;

const speaksOfIp = (m: FilterMatch): boolean => IP_FIELDS.some((field) => m[field] !== undefined);

function matchesIp(m: FilterMatch, ip: Ip): boolean {
  const { ports, icmp } = ip.fragment === 'later' ? { ports: undefined, icmp: undefined } : ip;
  return (
    is(m.ipVersion, (want) => ip.version === want) &&
    is(m.ipProtocol, (want) => ip.protocol === want) &&
    is(m.src, (want) => isWithin(ip.src, want)) &&
    is(m.dst, (want) => isWithin(ip.dst, want)) &&
    is(m.srcPort, (want) => ports !== undefined && want.from <= ports.src && ports.src <= want.to) &&
    is(m.dstPort, (want) => ports !== undefined && want.from <= ports.dst && ports.dst <= want.to) &&
    is(m.icmpType, (want) => isIcmp(ip) && icmp?.type === want) &&
    is(m.icmpCode, (want) => isIcmp(ip) && icmp?.code === want) &&
    is(m.tcpFlags, (want) => ports !== undefined && flagsAre(ip.flags ?? 0, want)) &&
    is(m.dscp, (want) => ip.dscp === want) &&
    is(m.fragments, (want) => (ip.fragment === 'later') === (want === 'later'))
  );
}

/** ICMP is of IPv4, ICMPv6 of IPv6. */
const isIcmp = ({ version, protocol }: Ip): boolean =>
  protocol === (version === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6);

const FLAGS: Readonly<Record<TcpFlag, number>> = {
  fin: 1,
  syn: 2,
  rst: 4,
  psh: 8,
  ack: 16,
  urg: 32,
  ece: 64,
  cwr: 128,
};

const flagsAre = (
  have: number,
  want: { readonly set: readonly TcpFlag[]; readonly clear: readonly TcpFlag[] },
): boolean =>
  want.set.every((flag) => (have & FLAGS[flag]) !== 0) &&
  want.clear.every((flag) => (have & FLAGS[flag]) === 0);

function sameMac(mac: string, want: string): boolean {
  const [value = '', mask] = want.split('/');
  const bits = (text: string): bigint => BigInt(`0x${text.replaceAll(':', '')}`);
  const under = mask === undefined ? (1n << 48n) - 1n : bits(mask);
  return (bits(mac) & under) === (bits(value) & under);
}
