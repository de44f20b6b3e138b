import { detail, parseCidr, type ProblemDetail } from '#kernel';
import { type FilterRule, type PolicyPatch, type Shaping, type Teaming, type VlanRange } from './policy.js';

/** Ethernet header and one 802.1Q tag beside the payload. */
export const FRAME_OVERHEAD = 18;
const TCP = 6;
const UDP = 17;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ICMP = 1;
const ICMPV6 = 58;

type Out = ProblemDetail[];

/** What is wrong with a policy by itself, whatever it is applied to. */
export function checkPolicy(policy: PolicyPatch, path: string, out: Out): void {
  if (policy.vlan?.mode === 'trunk') checkTrunk(policy.vlan.ranges, `${path}.vlan.ranges`, out);
  checkRates(policy.shapingIn, `${path}.shapingIn`, out);
  checkRates(policy.shapingOut, `${path}.shapingOut`, out);
  if (policy.filter !== undefined) checkFilter(policy.filter, `${path}.filter`, out);
  if (policy.teaming !== undefined) checkTeaming(policy.teaming, `${path}.teaming`, out);
}

function checkTrunk(ranges: readonly VlanRange[], path: string, out: Out): void {
  if (ranges.length === 0) out.push(detail(path, ranges, 'is empty', 'at least one range'));
  let last = 0;
  ranges.forEach((r, i) => {
    const at = `${path}[${i}]`;
    if (r.from > r.to) out.push(detail(at, r, 'ends before it begins', 'from ≤ to'));
    if (i > 0 && r.from <= last) {
      const reason = r.to < (ranges[i - 1]?.from ?? 0) ? 'is out of order' : 'overlaps the range before it';
      out.push(detail(at, r, reason, `a range that begins after ${last}`));
    }
    last = Math.max(last, r.to);
  });
}

function checkRates(s: Shaping | null | undefined, path: string, out: Out): void {
  if (s === null || s === undefined) return;
  if (s.average > s.peak)
    out.push(detail(`${path}.average`, s.average, 'is over the peak', `at most ${s.peak}`));
  // A bucket smaller than a millisecond of its rate never refills on the real switch: it stops the port for good.
  const least = Math.ceil(s.peak / 1000 / 8);
  if (s.burst < least) {
    out.push(
      detail(`${path}.burst`, s.burst, 'is less than 1 ms of the peak rate', `at least ${least} bytes`),
    );
  }
}

function checkFilter(rules: readonly FilterRule[], path: string, out: Out): void {
  const seen = new Set<string>();
  rules.forEach((rule, i) => {
    const at = `${path}[${i}]`;
    if (seen.has(rule.name))
      out.push(detail(`${at}.name`, rule.name, 'is used by an earlier rule', 'a name of its own'));
    seen.add(rule.name);
    checkMatch(rule, `${at}.match`, out);
  });
}

function checkMatch({ match: m }: FilterRule, path: string, out: Out): void {
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
  for (const side of ['srcPort', 'dstPort'] as const) {
    const range = m[side];
    if (range === undefined) continue;
    if (m.ipProtocol !== TCP && m.ipProtocol !== UDP) {
      out.push(detail(`${path}.${side}`, range, 'needs TCP or UDP', 'ipProtocol 6 or 17'));
    }
    if (range.from > range.to)
      out.push(detail(`${path}.${side}`, range, 'ends before it begins', 'from ≤ to'));
  }
  checkEtherType(m, families, path, out);
}

/** What the IP fields imply must not contradict the EtherType, or the rule could never match. */
function checkEtherType(m: FilterRule['match'], families: ReadonlySet<4 | 6>, path: string, out: Out): void {
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
  } else if (m.ipProtocol !== undefined && m.etherType !== IPV4 && m.etherType !== IPV6) {
    bad('etherType', m.etherType, 'has no IP protocol', '2048 (IPv4) or 34525 (IPv6)');
  }
}

function checkTeaming(t: Teaming, path: string, out: Out): void {
  if (t.active.length === 0 && t.standby.length > 0) {
    out.push(detail(`${path}.active`, t.active, 'is empty', 'at least one active uplink'));
  }
  const seen = new Set<string>();
  for (const list of ['active', 'standby'] as const) {
    t[list].forEach((uplink, i) => {
      if (seen.has(uplink))
        out.push(detail(`${path}.${list}[${i}]`, uplink, 'is listed twice', 'each uplink once'));
      seen.add(uplink);
    });
  }
}

/** What is wrong with a policy on a given switch. */
export function checkPolicyOnSwitch(
  policy: PolicyPatch,
  sw: { readonly uplinks: readonly string[]; readonly mtu: number },
  path: string,
  out: Out,
): void {
  const frame = sw.mtu + FRAME_OVERHEAD;
  for (const side of ['shapingIn', 'shapingOut'] as const) {
    const burst = policy[side]?.burst;
    if (burst !== undefined && burst < frame) {
      const reason = `is less than one frame of the switch's MTU ${sw.mtu}`;
      out.push(detail(`${path}.${side}.burst`, burst, reason, `at least ${frame} bytes`));
    }
  }
  for (const list of ['active', 'standby'] as const) {
    policy.teaming?.[list].forEach((uplink, i) => {
      if (sw.uplinks.includes(uplink)) return;
      const known = sw.uplinks.length === 0 ? 'the switch has none' : `one of ${sw.uplinks.join(', ')}`;
      out.push(detail(`${path}.teaming.${list}[${i}]`, uplink, 'is not an uplink of the switch', known));
    });
  }
}
