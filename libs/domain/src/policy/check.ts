import { detail, parseCidr, type ProblemDetail } from '#kernel';
import { type SwitchFeatures } from '../switch/spec.js';
import { checkFilter } from './check-filter.js';
import {
  type Addresses,
  type Bandwidth,
  type Macs,
  type Shaping,
  type Teaming,
  type VlanPolicy,
  type VlanRange,
} from './fields.js';
import { type PolicyPatch } from './policy.js';

/** Ethernet header and one 802.1Q tag beside the payload. */
export const FRAME_OVERHEAD = 18;

type Out = ProblemDetail[];

/** What is wrong with a policy by itself, whatever it is applied to. */
export function checkPolicy(policy: PolicyPatch, path: string, out: Out): void {
  if (policy.vlan?.mode === 'trunk') checkTrunk(policy.vlan.ranges, `${path}.vlan.ranges`, out);
  checkRates(policy.shapingIn, `${path}.shapingIn`, out);
  checkRates(policy.shapingOut, `${path}.shapingOut`, out);
  if (policy.filter !== undefined) checkFilter(policy.filter, `${path}.filter`, out);
  if (policy.teaming !== undefined) checkTeaming(policy.teaming, `${path}.teaming`, out);
  if (policy.macs !== undefined) checkMacs(policy.macs, `${path}.macs`, out);
  checkAddresses(policy.addresses, `${path}.addresses`, out);
  checkBandwidth(policy.bandwidth, `${path}.bandwidth`, out);
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

function checkMacs(macs: Macs, path: string, out: Out): void {
  const seen = new Set<string>();
  for (const list of ['extra', 'shared'] as const) {
    macs[list].forEach((mac, i) => {
      if (seen.has(mac)) out.push(detail(`${path}.${list}[${i}]`, mac, 'is listed twice', 'each MAC once'));
      seen.add(mac);
    });
  }
}

function checkAddresses(addresses: Addresses | null | undefined, path: string, out: Out): void {
  const seen = new Set<string>();
  addresses?.allow.forEach((prefix, i) => {
    const cidr = parseCidr(prefix, `${path}.allow[${i}]`);
    if (!cidr.ok) {
      out.push(...cidr.error.details);
      return;
    }
    const { family, address, prefix: length } = cidr.value;
    const key = `${family} ${address}/${length}`;
    if (seen.has(key)) out.push(detail(`${path}.allow[${i}]`, prefix, 'is listed twice', 'each prefix once'));
    seen.add(key);
  });
}

function checkBandwidth(b: Bandwidth | null | undefined, path: string, out: Out): void {
  if (b === null || b === undefined || b.limit === null || b.reservation <= b.limit) return;
  out.push(detail(`${path}.reservation`, b.reservation, 'is over the limit', `at most ${b.limit}`));
}

function checkTeaming(t: Teaming, path: string, out: Out): void {
  if (t.active.length === 0 && t.standby.length > 0) {
    out.push(detail(`${path}.active`, t.active, 'is empty', 'at least one active uplink'));
  }
  if (t.mode === 'ip-hash' && t.standby.length > 0) {
    out.push(detail(`${path}.standby`, t.standby, 'can not be with ip-hash', 'no standby uplinks'));
  }
  if (t.mode === 'ip-hash' && t.detection === 'beacon') {
    const reason =
      'can not be with ip-hash: the other end, which takes the uplinks for one, brings back no beacon';
    out.push(detail(`${path}.detection`, t.detection, reason, 'link'));
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

/** What of a switch a policy has to fit. */
export type PolicyPlace = Pick<SwitchFeatures, 'privateVlans' | 'lags' | 'ipfix' | 'mirrors'> & {
  readonly uplinks: readonly string[];
  readonly mtu: number;
};

/** What is wrong with a policy on a given switch. */
export function checkPolicyOnSwitch(policy: PolicyPatch, sw: PolicyPlace, path: string, out: Out): void {
  const frame = sw.mtu + FRAME_OVERHEAD;
  for (const side of ['shapingIn', 'shapingOut'] as const) {
    const burst = policy[side]?.burst;
    if (burst !== undefined && burst < frame) {
      const reason = `is less than one frame of the switch's MTU ${sw.mtu}`;
      out.push(detail(`${path}.${side}.burst`, burst, reason, `at least ${frame} bytes`));
    }
  }
  if (policy.teaming !== undefined) checkUplinks(policy.teaming, sw, `${path}.teaming`, out);
  if (policy.vlan?.mode === 'private') checkPrivate(policy.vlan, sw, `${path}.vlan`, out);
  else if (policy.vlan !== undefined) checkNotPrivate(policy.vlan, sw, `${path}.vlan`, out);
  if (policy.vlan !== undefined) checkNotMirrors(policy.vlan, sw, `${path}.vlan`, out);
  if (policy.ipfix === true && sw.ipfix === null) {
    out.push(detail(`${path}.ipfix`, true, 'needs a collector', 'a switch with ipfix'));
  }
}

/** A LAG carries its ports alone, and its uplinks carry nothing by themselves. */
function checkLag(teaming: Teaming, { lags }: PolicyPlace, path: string, out: Out): void {
  const named = [...teaming.active, ...teaming.standby];
  const lag = lags.find(({ name }) => named.includes(name));
  if (lag !== undefined && named.length > 1)
    out.push(detail(`${path}.active`, named, `is more than LAG ${lag.name}`, `${lag.name} alone`));
  if (lag !== undefined && teaming.detection === 'beacon')
    out.push(detail(`${path}.detection`, 'beacon', 'can not be with a LAG: LACP finds out itself', 'link'));
  for (const list of ['active', 'standby'] as const)
    teaming[list].forEach((uplink, i) => {
      const of = lags.find(({ uplinks }) => uplinks.includes(uplink));
      if (of !== undefined)
        out.push(detail(`${path}.${list}[${i}]`, uplink, `is in LAG ${of.name}`, of.name));
    });
}

function checkUplinks(teaming: Teaming, sw: PolicyPlace, path: string, out: Out): void {
  checkLag(teaming, sw, path, out);
  const names = [...sw.uplinks, ...sw.lags.map((lag) => lag.name)];
  for (const list of ['active', 'standby'] as const) {
    teaming[list].forEach((uplink, i) => {
      if (names.includes(uplink)) return;
      const known = names.length === 0 ? 'the switch has none' : `one of ${names.join(', ')}`;
      out.push(detail(`${path}.${list}[${i}]`, uplink, 'is not an uplink of the switch', known));
    });
  }
}

function checkPrivate(
  vlan: Extract<VlanPolicy, { mode: 'private' }>,
  sw: PolicyPlace,
  path: string,
  out: Out,
): void {
  const known = sw.privateVlans.some((p) => p.primary === vlan.primary && p.secondary === vlan.secondary);
  if (known) return;
  const pair = `${vlan.primary}/${vlan.secondary}`;
  out.push(detail(path, pair, 'is not in the private VLAN map of the switch', 'a pair of spec.privateVlans'));
}

/** A secondary VLAN is no segment of its own: what is in it belongs to the primary. A trunk just does not carry it. */
function checkNotPrivate(
  vlan: Exclude<VlanPolicy, { mode: 'private' }>,
  sw: PolicyPlace,
  path: string,
  out: Out,
): void {
  const { at, id } = untaggedIn(vlan);
  const taken = sw.privateVlans.some((p) => p.secondary === id && p.primary !== id);
  if (!taken || id === undefined) return;
  const reason = 'is a secondary VLAN in the private VLAN map of the switch';
  out.push(detail(`${path}.${at}`, id, reason, 'mode private, or another VLAN'));
}

/** What is in the VLAN of a mirror is copies. A trunk just does not carry it. */
function checkNotMirrors(vlan: VlanPolicy, sw: PolicyPlace, path: string, out: Out): void {
  const { at, id } = untaggedIn(vlan);
  const mirror = sw.mirrors.find(({ to }) => 'vlan' in to && to.vlan === id);
  if (mirror === undefined || id === undefined) return;
  out.push(detail(`${path}.${at}`, id, `is the VLAN of mirror ${mirror.name}`, 'another VLAN'));
}

/** The VLAN of what a port sends without a tag, and the field that says so. */
function untaggedIn(vlan: VlanPolicy): { readonly at: string; readonly id: number | undefined } {
  if (vlan.mode === 'trunk') return { at: 'native', id: vlan.native };
  return { at: 'id', id: vlan.mode === 'access' ? vlan.id : undefined };
}
