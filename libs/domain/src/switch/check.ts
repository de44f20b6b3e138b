import { detail, type ProblemDetail } from '#kernel';
import {
  type Lag,
  type Mirror,
  type PrivateVlan,
  type SwitchBandwidth,
  type SwitchFeatures,
} from './spec.js';

type Out = ProblemDetail[];
type Spec = SwitchFeatures & { readonly uplinks: readonly string[] };

/** What is wrong with what a switch does, by itself. */
export function checkFeatures(spec: Spec, path: string, out: Out): void {
  checkPrivateVlans(spec.privateVlans, `${path}.privateVlans`, out);
  checkLags(spec.lags, spec.uplinks, `${path}.lags`, out);
  checkMirrors(spec.mirrors, spec, `${path}.mirrors`, out);
  if (spec.bandwidth !== null) checkBandwidth(spec.bandwidth, `${path}.bandwidth`, out);
}

/** A secondary belongs to one primary, a primary has at most one isolated one, and no VLAN is both. */
function checkPrivateVlans(map: readonly PrivateVlan[], path: string, out: Out): void {
  const primaries = new Set(map.map((p) => p.primary));
  const seen = new Set<number>();
  const isolated = new Set<number>();
  map.forEach(({ primary, secondary, kind }, i) => {
    const bad = (reason: string, expected: string): void => {
      out.push(detail(`${path}[${i}].secondary`, secondary, reason, expected));
    };
    if (seen.has(secondary)) bad('is listed twice', 'each secondary VLAN once');
    seen.add(secondary);
    if (kind === 'promiscuous') {
      if (secondary !== primary) bad('is not the primary', `${primary}, as promiscuous ports are in it`);
      return;
    }
    if (primaries.has(secondary)) bad('is a primary VLAN', 'a VLAN that is no primary');
    if (kind !== 'isolated') return;
    if (isolated.has(primary)) bad(`is a second isolated VLAN of ${primary}`, 'at most one');
    isolated.add(primary);
  });
}

function checkLags(lags: readonly Lag[], uplinks: readonly string[], path: string, out: Out): void {
  const names = new Set(uplinks);
  const members = new Set<string>();
  lags.forEach((lag, i) => {
    const at = `${path}[${i}]`;
    if (names.has(lag.name))
      out.push(detail(`${at}.name`, lag.name, 'names another uplink or LAG', 'a name of its own'));
    names.add(lag.name);
    if (lag.uplinks.length < 2)
      out.push(detail(`${at}.uplinks`, lag.uplinks, 'is too short', '2 to 8 uplinks'));
    lag.uplinks.forEach((uplink, n) => {
      const where = `${at}.uplinks[${n}]`;
      if (!uplinks.includes(uplink))
        out.push(detail(where, uplink, 'is not an uplink of the switch', `one of ${uplinks.join(', ')}`));
      if (members.has(uplink)) out.push(detail(where, uplink, 'is in a LAG already', 'each uplink once'));
      members.add(uplink);
    });
  });
}

function checkMirrors(mirrors: readonly Mirror[], spec: Spec, path: string, out: Out): void {
  const { uplinks, privateVlans } = spec;
  const names = new Set<string>();
  const known = (uplink: string, at: string): void => {
    if (uplinks.includes(uplink)) return;
    out.push(detail(at, uplink, 'is not an uplink of the switch', `one of ${uplinks.join(', ')}`));
  };
  mirrors.forEach(({ name, sources, vlans, to }, i) => {
    const at = `${path}[${i}]`;
    if (names.has(name)) out.push(detail(`${at}.name`, name, 'names another mirror', 'a name of its own'));
    names.add(name);
    if (sources.length === 0) out.push(detail(`${at}.sources`, sources, 'is empty', 'at least one source'));
    if (vlans?.length === 0)
      out.push(detail(`${at}.vlans`, vlans, 'is empty', 'at least one, or no such field'));
    sources.forEach((source, n) => {
      if ('uplink' in source) known(source.uplink, `${at}.sources[${n}].uplink`);
      if ('port' in source && 'port' in to && source.port === to.port)
        out.push(detail(`${at}.to.port`, to.port, 'is a source of the mirror', 'another port'));
    });
    if (!('uplinks' in to)) return;
    const isPrivate = privateVlans.some((p) => p.primary === to.vlan || p.secondary === to.vlan);
    if (isPrivate) out.push(detail(`${at}.to.vlan`, to.vlan, 'is of a private VLAN', 'a VLAN of its own'));
    if (to.uplinks.length === 0) out.push(detail(`${at}.to.uplinks`, [], 'is empty', 'at least one uplink'));
    to.uplinks.forEach((uplink, n) => {
      known(uplink, `${at}.to.uplinks[${n}]`);
    });
  });
}

function checkBandwidth({ classes }: SwitchBandwidth, path: string, out: Out): void {
  for (const [name, { limit, reservation }] of Object.entries(classes)) {
    if (limit === null || reservation <= limit) continue;
    const field = `${path}.classes.${name}.reservation`;
    out.push(detail(field, reservation, 'is over the limit', `at most ${limit}`));
  }
}
