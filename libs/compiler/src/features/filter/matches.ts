import { LAST_TIER, TCP_FLAGS } from '#domain/on-host';
import { type FilterMatch, type FilterRule } from '#domain';
import { type FieldName, type FieldMatch, type Match } from '#openflow';
import { macToBigint, parseCidr, parseMac } from '#kernel';
import { bitsAre, match } from '../../pipeline/actions.js';
import { FLAG, REG } from '../../pipeline/registers.js';
import { maskRange } from '../../ranges.js';

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const TCP = 6;
/** Protocols with ports, as their fields are named. */
const PORTS: Readonly<Record<number, 'tcp' | 'udp' | 'sctp'>> = { [TCP]: 'tcp', 17: 'udp', 132: 'sctp' };
const ICMP = { 4: 1, 6: 58 } as const;
/** Bit of `ip_frag`: not the first one, so without the header above IP. */
const LATER = 2n;
const FIRST_ONLY: FieldMatch = { value: 0n, mask: LATER };

type Fields = Partial<Record<FieldName, FieldMatch>>;
const exact = (value: number | bigint): FieldMatch => ({ value: BigInt(value) });

/** Documents are validated where they are made; this keeps a bad one from opening what it meant to close. */
export function malformed({ match: m, tier, mark, action, rate }: FilterRule): string | null {
  const allows = action === 'allow' || action === 'allow-stateless';
  if (!allows && (mark !== undefined || rate !== undefined)) return `${action} has no mark and no rate`;
  if (mark?.dscp !== undefined && !impliesIp(m)) return 'a DSCP mark needs IP';
  if (!(Number.isInteger(tier) && tier >= 0 && tier <= LAST_TIER)) return `there is no tier ${tier}`;
  for (const mac of [m.srcMac, m.dstMac])
    if (mac !== undefined && macMatch(mac) === null) return `${mac} is no MAC`;
  for (const ip of [m.src, m.dst]) if (ip !== undefined && !parseCidr(ip).ok) return `${ip} is no IP prefix`;
  const ports = m.srcPort ?? m.dstPort;
  if (ports !== undefined && PORTS[m.ipProtocol ?? 0] === undefined) return 'ports need TCP, UDP or SCTP';
  for (const range of [m.srcPort, m.dstPort]) {
    if (range !== undefined && !(range.from >= 0 && range.from <= range.to && range.to <= 65_535)) {
      return `${range.from} to ${range.to} is no port range`;
    }
  }
  if (m.tcpFlags !== undefined && m.ipProtocol !== TCP) return 'TCP flags need TCP';
  if (m.icmpCode !== undefined && m.icmpType === undefined) return 'an ICMP code needs a type';
  return null;
}

const IP_FIELDS = [
  'ipVersion',
  'ipProtocol',
  'src',
  'dst',
  'srcPort',
  'dstPort',
  'icmpType',
  'tcpFlags',
  'dscp',
  'fragments',
] as const satisfies readonly (keyof FilterMatch)[];

const impliesIp = (m: FilterMatch): boolean =>
  m.etherType === IPV4 || m.etherType === IPV6 || IP_FIELDS.some((field) => m[field] !== undefined);

/** The rule as matches that exclude each other; none when it contradicts itself (it then matches no frame). */
export function ruleMatches({ match: m }: FilterRule): Match[] {
  const link: Fields = { ...macField('eth_src', m.srcMac), ...macField('eth_dst', m.dstMac) };
  // The tag is off by now, whoever sent the frame.
  if (m.vlan !== undefined) link[REG.segment] = exact(m.vlan);
  if (m.cos !== undefined) Object.assign(link, match({ [REG.flags]: bitsAre(FLAG.cos, m.cos) }));
  if (IP_FIELDS.every((field) => m[field] === undefined))
    return [m.etherType === undefined ? link : { ...link, eth_type: exact(m.etherType) }];
  return ([4, 6] as const).flatMap((family) =>
    familyMatches(m, family).map((fields) => ({ ...link, ...fields })),
  );
}

function familyMatches(m: FilterMatch, family: 4 | 6): Fields[] {
  const etherType = family === 4 ? IPV4 : IPV6;
  if (m.etherType !== undefined && m.etherType !== etherType) return [];
  if (m.ipVersion !== undefined && m.ipVersion !== family) return [];
  const fields: Fields = { eth_type: exact(etherType) };
  for (const [text, field] of [
    [m.src, family === 4 ? 'ipv4_src' : 'ipv6_src'],
    [m.dst, family === 4 ? 'ipv4_dst' : 'ipv6_dst'],
  ] as const) {
    if (text === undefined) continue;
    const cidr = parseCidr(text);
    if (!cidr.ok || cidr.value.family !== family) return [];
    const prefix = prefixMatch(cidr.value.address, cidr.value.prefix, family === 4 ? 32 : 128);
    if (prefix !== null) fields[field] = prefix;
  }
  if (m.dscp !== undefined) fields.ip_dscp = exact(m.dscp);
  if (m.fragments !== undefined)
    fields.ip_frag = m.fragments === 'later' ? { value: LATER, mask: LATER } : FIRST_ONLY;
  const protocol = m.ipProtocol ?? (m.icmpType === undefined ? undefined : ICMP[family]);
  if (protocol === undefined) return [fields];
  fields.ip_proto = exact(protocol);
  return aboveIp(m, protocol, family).map((above) => ({ ...fields, ...withHeader(above) }));
}

function aboveIp(m: FilterMatch, protocol: number, family: 4 | 6): Fields[] {
  const fields: Fields = {};
  if (m.icmpType !== undefined) {
    if (protocol !== ICMP[family]) return [];
    fields[family === 4 ? 'icmpv4_type' : 'icmpv6_type'] = exact(m.icmpType);
    if (m.icmpCode !== undefined) fields[family === 4 ? 'icmpv4_code' : 'icmpv6_code'] = exact(m.icmpCode);
  }
  if (m.tcpFlags !== undefined) fields.tcp_flags = flagMatch(m.tcpFlags);
  const kind = PORTS[protocol];
  if (kind === undefined) return [fields];
  return portMatches(m.srcPort, `${kind}_src`).flatMap((src) =>
    portMatches(m.dstPort, `${kind}_dst`).map((dst) => ({ ...fields, ...src, ...dst })),
  );
}

/** A later fragment reads as zero in all that it doesn't have: what zero would match is for first ones only. */
function withHeader(above: Fields): Fields {
  const named = Object.values(above);
  return named.length > 0 && named.every(({ value }) => value === 0n)
    ? { ...above, ip_frag: FIRST_ONLY }
    : above;
}

const flagBits = (flags: readonly (typeof TCP_FLAGS)[number][]): bigint =>
  flags.reduce((bits, flag) => bits | (1n << BigInt(TCP_FLAGS.indexOf(flag))), 0n);

function flagMatch({ set, clear }: NonNullable<FilterMatch['tcpFlags']>): FieldMatch {
  const value = flagBits(set);
  return { value, mask: value | flagBits(clear) };
}

function portMatches(range: FilterMatch['srcPort'], field: FieldName): Fields[] {
  if (range === undefined || (range.from === 0 && range.to === 65_535)) return [{}];
  return maskRange(range, 16).map(({ value, mask }) => ({
    [field]: mask === 0xffff ? exact(value) : { value: BigInt(value), mask: BigInt(mask) },
  }));
}

function prefixMatch(address: bigint, prefix: number, bits: number): FieldMatch | null {
  if (prefix === 0) return null;
  if (prefix === bits) return { value: address };
  const mask = ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
  return { value: address, mask };
}

/** Null: it is none. A mask of no bits says nothing. */
function macMatch(text: string): FieldMatch | 'any' | null {
  const [address, mask, more] = text.split('/').map((part) => parseMac(part));
  if (address?.ok !== true || mask?.ok === false || more !== undefined) return null;
  const value = macToBigint(address.value);
  if (mask === undefined) return { value };
  const bits = macToBigint(mask.value);
  if (bits === 0n) return 'any';
  return bits === 0xffffffffffffn ? { value } : { value: value & bits, mask: bits };
}

function macField(field: 'eth_src' | 'eth_dst', text: string | undefined): Fields {
  const wanted = text === undefined ? 'any' : macMatch(text);
  return wanted === null || wanted === 'any' ? {} : { [field]: wanted };
}
