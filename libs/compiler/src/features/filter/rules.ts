import { type FilterRule } from '#domain';
import { type FieldName, type FieldMatch, type Match } from '#openflow';
import { macToBigint, parseCidr, parseMac } from '#kernel';
import { maskRange } from '../../ranges.js';
import { type Refusal } from '../../resolve/interfaces.js';

/** A rule's place in its list is part of the cookie: 10 bits. */
export const MAX_RULES = 512;
/** Flows of one list, each direction: port ranges multiply. */
export const MAX_FLOWS = 2_048;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ICMP = { 4: 1, 6: 58 } as const;

type Fields = Partial<Record<FieldName, FieldMatch>>;
const exact = (value: number | bigint): FieldMatch => ({ value: BigInt(value) });

/** What is to be known of a list: why it can't be carried out, or its rules as matches, in their order. */
type Checked =
  { readonly refusal: Refusal } | { readonly refusal: null; readonly matches: readonly Match[][] };

/** A group's list is the same object for all its ports: it is gone through once. */
const known = new WeakMap<readonly FilterRule[], Checked>();

function checked(rules: readonly FilterRule[]): Checked {
  const before = known.get(rules);
  if (before !== undefined) return before;
  const now = check(rules);
  known.set(rules, now);
  return now;
}

/** Why a list can't be carried out; null: it can. */
export const checkFilter = (rules: readonly FilterRule[]): Refusal | null => checked(rules).refusal;

/** Each rule of a list as matches that exclude each other; nothing of a list that can't be carried out. */
export function listMatches(rules: readonly FilterRule[]): readonly (readonly Match[])[] {
  const list = checked(rules);
  return list.refusal === null ? list.matches : [];
}

function check(rules: readonly FilterRule[]): Checked {
  const refuse = (code: Refusal['code'], reason: string): Checked => ({ refusal: { code, reason } });
  if (rules.length > MAX_RULES)
    return refuse('filter-too-large', `${rules.length} rules, at most ${MAX_RULES} can be carried out`);
  let flows = 0;
  const matches: Match[][] = [];
  for (const rule of rules) {
    const bad = malformed(rule);
    if (bad !== null) return refuse('filter-invalid', `rule ${rule.name}: ${bad}`);
    const its = ruleMatches(rule);
    matches.push(its);
    flows += its.length;
    if (flows > MAX_FLOWS)
      return refuse('filter-too-large', `needs more than ${MAX_FLOWS} flows, at rule ${rule.name}`);
  }
  return { refusal: null, matches };
}

/** Documents are validated where they are made; this keeps a bad one from opening what it meant to close. */
function malformed({ match: m }: FilterRule): string | null {
  for (const mac of [m.srcMac, m.dstMac])
    if (mac !== undefined && !parseMac(mac).ok) return `${mac} is no MAC`;
  for (const ip of [m.src, m.dst]) if (ip !== undefined && !parseCidr(ip).ok) return `${ip} is no IP prefix`;
  const ports = m.srcPort ?? m.dstPort;
  if (ports !== undefined && m.ipProtocol !== 6 && m.ipProtocol !== 17) return 'ports need TCP or UDP';
  for (const range of [m.srcPort, m.dstPort]) {
    if (range !== undefined && !(range.from >= 0 && range.from <= range.to && range.to <= 65_535)) {
      return `${range.from} to ${range.to} is no port range`;
    }
  }
  return null;
}

/** The rule as matches that exclude each other; none when it contradicts itself (it then matches no frame). */
function ruleMatches({ match: m }: FilterRule): Match[] {
  const link: Fields = {
    ...(m.srcMac === undefined ? {} : { eth_src: exact(macToBigint(normalMac(m.srcMac))) }),
    ...(m.dstMac === undefined ? {} : { eth_dst: exact(macToBigint(normalMac(m.dstMac))) }),
  };
  const needsIp = [m.ipProtocol, m.src, m.dst, m.srcPort, m.dstPort, m.icmpType].some((f) => f !== undefined);
  if (!needsIp) return [m.etherType === undefined ? link : { ...link, eth_type: exact(m.etherType) }];
  return ([4, 6] as const).flatMap((family) =>
    familyMatches(m, family).map((fields) => ({ ...link, ...fields })),
  );
}

function familyMatches(m: FilterRule['match'], family: 4 | 6): Fields[] {
  const etherType = family === 4 ? IPV4 : IPV6;
  if (m.etherType !== undefined && m.etherType !== etherType) return [];
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
  const protocol = m.ipProtocol ?? (m.icmpType === undefined ? undefined : ICMP[family]);
  if (protocol === undefined) return [fields];
  fields.ip_proto = exact(protocol);
  if (m.icmpType !== undefined) {
    if (protocol !== ICMP[family]) return [];
    fields[family === 4 ? 'icmpv4_type' : 'icmpv6_type'] = exact(m.icmpType);
  }
  const kind = protocol === 6 ? 'tcp' : 'udp';
  return portMatches(m.srcPort, `${kind}_src`).flatMap((src) =>
    portMatches(m.dstPort, `${kind}_dst`).map((dst) => ({ ...fields, ...src, ...dst })),
  );
}

function portMatches(range: FilterRule['match']['srcPort'], field: FieldName): Fields[] {
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

function normalMac(text: string): string {
  const mac = parseMac(text);
  return mac.ok ? mac.value : text;
}
