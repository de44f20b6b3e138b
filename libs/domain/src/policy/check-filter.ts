import { detail, parseCidr, type ProblemDetail } from '#kernel';
import { type Filter, type FilterMatch, type FilterRule } from './filter.js';

const TCP = 6;
const UDP = 17;
const SCTP = 132;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ICMP = 1;
const ICMPV6 = 58;
/** What a rate must let through at once, in kbit: less never refills on the real switch. */
const LEAST_BURST_MS = 1;

type Out = ProblemDetail[];

/** What is wrong with a filter by itself. */
export function checkFilter({ rules }: Filter, path: string, out: Out): void {
  const seen = new Set<string>();
  rules.forEach((rule, i) => {
    const at = `${path}.rules[${i}]`;
    if (seen.has(rule.name))
      out.push(detail(`${at}.name`, rule.name, 'is used by an earlier rule', 'a name of its own'));
    seen.add(rule.name);
    checkMatch(rule.match, `${at}.match`, out);
    checkMeans(rule, at, out);
  });
}

/** What a rule does beside its action. */
function checkMeans({ action, mark, rate, match }: FilterRule, path: string, out: Out): void {
  const allows = action === 'allow' || action === 'allow-stateless';
  if (mark !== undefined) {
    if (!allows)
      out.push(detail(`${path}.mark`, mark, `is on a rule that says ${action}`, 'a rule that allows'));
    if (mark.dscp === undefined && mark.cos === undefined)
      out.push(detail(`${path}.mark`, mark, 'marks nothing', 'dscp, cos or both'));
    if (mark.dscp !== undefined && !impliesIp(match))
      out.push(detail(`${path}.mark.dscp`, mark.dscp, 'needs IP', 'a match on ipVersion or an IP field'));
  }
  if (rate === undefined) return;
  if (!allows)
    out.push(detail(`${path}.rate`, rate, `is on a rule that says ${action}`, 'a rule that allows'));
  const least = Math.ceil((rate.rate * LEAST_BURST_MS) / 1000);
  if (rate.burst !== undefined && rate.burst < least)
    out.push(detail(`${path}.rate.burst`, rate.burst, 'is less than 1 ms of the rate', `at least ${least}`));
}

const impliesIp = (m: FilterMatch): boolean =>
  m.ipVersion !== undefined ||
  IP_FIELDS.some((field) => m[field] !== undefined) ||
  m.etherType === IPV4 ||
  m.etherType === IPV6;

/** Fields that only IP packets have. */
const IP_FIELDS = [
  'ipVersion',
  'ipProtocol',
  'src',
  'dst',
  'icmpType',
  'icmpCode',
  'tcpFlags',
  'dscp',
  'fragments',
] as const;

function checkMatch(m: FilterMatch, path: string, out: Out): void {
  const families = new Set<4 | 6>();
  for (const side of ['src', 'dst'] as const) {
    if (m[side] === undefined) continue;
    const cidr = parseCidr(m[side], `${path}.${side}`);
    if (cidr.ok) families.add(cidr.value.family);
    else out.push(...cidr.error.details);
  }
  if (families.size === 2) {
    out.push(detail(`${path}.dst`, m.dst, 'is of another IP version than src', 'both IPv4 or both IPv6'));
  }
  if (m.ipVersion !== undefined) {
    const [family] = families;
    if (family !== undefined && family !== m.ipVersion)
      out.push(
        detail(`${path}.ipVersion`, m.ipVersion, `contradicts the IPv${family} match`, String(family)),
      );
    families.add(m.ipVersion);
  }
  for (const side of ['src', 'dst'] as const) {
    if (m[side] === undefined || m[`${side}Set`] === undefined) continue;
    out.push(detail(`${path}.${side}Set`, m[`${side}Set`], `stands beside ${side}`, 'one of the two'));
  }
  checkPorts(m, path, out);
  checkEtherType(m, families, path, out);
}

/** What lies above IP. */
function checkPorts(m: FilterMatch, path: string, out: Out): void {
  for (const side of ['srcPort', 'dstPort'] as const) {
    const range = m[side];
    if (range === undefined) continue;
    if (m.ipProtocol !== TCP && m.ipProtocol !== UDP && m.ipProtocol !== SCTP) {
      out.push(detail(`${path}.${side}`, range, 'needs TCP, UDP or SCTP', 'ipProtocol 6, 17 or 132'));
    }
    if (range.from > range.to)
      out.push(detail(`${path}.${side}`, range, 'ends before it begins', 'from ≤ to'));
  }
  const { tcpFlags: flags } = m;
  if (flags !== undefined) {
    if (m.ipProtocol !== TCP) out.push(detail(`${path}.tcpFlags`, flags, 'needs TCP', 'ipProtocol 6'));
    const both = flags.set.filter((flag) => flags.clear.includes(flag));
    if (both.length > 0)
      out.push(detail(`${path}.tcpFlags.clear`, both, 'is to be set as well', 'flags that are not in set'));
    if (flags.set.length + flags.clear.length === 0)
      out.push(detail(`${path}.tcpFlags`, flags, 'names no flag', 'at least one'));
  }
  if (m.icmpCode !== undefined && m.icmpType === undefined)
    out.push(detail(`${path}.icmpCode`, m.icmpCode, 'needs a type', 'icmpType beside it'));
  // Only the first fragment has the header that these fields are in.
  const above = [m.srcPort, m.dstPort, m.icmpType, m.tcpFlags].some((field) => field !== undefined);
  if (m.fragments === 'later' && above)
    out.push(detail(`${path}.fragments`, 'later', 'has no ports, flags or ICMP type', 'a match on IP only'));
}

/** What the IP fields imply must not contradict the EtherType, or the rule could never match. */
function checkEtherType(m: FilterMatch, families: ReadonlySet<4 | 6>, path: string, out: Out): void {
  const [family] = families;
  const bad = (field: string, value: unknown, reason: string, expected: string): void => {
    out.push(detail(`${path}.${field}`, value, reason, expected));
  };
  if (m.icmpType !== undefined && m.ipProtocol !== ICMP && m.ipProtocol !== ICMPV6) {
    bad('icmpType', m.icmpType, 'needs ICMP', 'ipProtocol 1 or 58');
  }
  const implied =
    family ??
    (m.icmpType === undefined
      ? undefined
      : m.ipProtocol === ICMP
        ? 4
        : m.ipProtocol === ICMPV6
          ? 6
          : undefined);
  if (family !== undefined && m.ipProtocol === (family === 4 ? ICMPV6 : ICMP)) {
    bad('ipProtocol', m.ipProtocol, `is not of IPv${family}`, family === 4 ? '1 for ICMP' : '58 for ICMPv6');
  }
  if (m.etherType === undefined) return;
  if (implied !== undefined && m.etherType !== (implied === 4 ? IPV4 : IPV6)) {
    bad('etherType', m.etherType, `contradicts the IPv${implied} match`, implied === 4 ? '2048' : '34525');
  } else if (m.etherType !== IPV4 && m.etherType !== IPV6) {
    const above = IP_FIELDS.find((field) => m[field] !== undefined);
    if (above !== undefined) bad('etherType', m.etherType, `has no ${above}`, '2048 (IPv4) or 34525 (IPv6)');
  }
}
