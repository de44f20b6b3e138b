import { parseMac, parseVlanId, parseCidr, ok, type Result, type VlanId } from '#kernel';
import {
  bool,
  int,
  leaf,
  list,
  nullable,
  object,
  oneOf,
  optional,
  parsed,
  tagged,
  withDefault,
  type Shape,
} from '../shape/shape.js';
import {
  POLICY_FIELDS,
  type FilterMatch,
  type FilterRule,
  type PolicyField,
  type PolicyPatch,
  type PortRange,
  type Shaping,
  type Teaming,
  type VlanPolicy,
  type VlanRange,
} from './policy.js';

const vlanId: Shape<VlanId> = parsed(parseVlanId);
const range: Shape<VlanRange> = object<VlanRange>({ from: vlanId, to: vlanId });

const vlan: Shape<VlanPolicy> = tagged<VlanPolicy>('mode', {
  none: object<{ mode: 'none' }>({ mode: oneOf('none') }),
  access: object<{ mode: 'access'; id: VlanId }>({ mode: oneOf('access'), id: vlanId }),
  trunk: object<{ mode: 'trunk'; ranges: readonly VlanRange[] }>({
    mode: oneOf('trunk'),
    ranges: list(range, 4094),
  }),
});

/** Rates in bit/s, up to 10 Tbit/s; burst in bytes. */
const shaping: Shape<Shaping> = object<Shaping>({
  average: int(1, 1e13),
  peak: int(1, 1e13),
  burst: int(1, 1e12),
});

const name: Shape<string> = leaf(
  '1 to 63 letters, digits and _ . -',
  (v) => typeof v === 'string' && /^[A-Za-z0-9_.-]{1,63}$/.test(v) && v !== '__proto__',
);

const portNumber = int(0, 65_535);
const portRange: Shape<PortRange> = object<PortRange>({ from: portNumber, to: portNumber });
const mac: Shape<string> = parsed<string>(parseMac);
const prefix: Shape<string> = parsed<string>((value, field): Result<string> => {
  const cidr = parseCidr(value, field);
  return cidr.ok ? ok((value as string).toLowerCase()) : cidr;
});

const match: Shape<FilterMatch> = object<FilterMatch>({
  srcMac: optional(mac) as Shape<string>,
  dstMac: optional(mac) as Shape<string>,
  etherType: optional(int(0x0600, 0xffff)) as Shape<number>,
  ipProtocol: optional(int(0, 255)) as Shape<number>,
  src: optional(prefix) as Shape<string>,
  dst: optional(prefix) as Shape<string>,
  srcPort: optional(portRange) as Shape<PortRange>,
  dstPort: optional(portRange) as Shape<PortRange>,
  icmpType: optional(int(0, 255)) as Shape<number>,
});

const rule: Shape<FilterRule> = object<FilterRule>({
  name,
  direction: withDefault(oneOf('in', 'out', 'both'), 'both'),
  action: oneOf('allow', 'drop'),
  match: withDefault(match, {}),
});

export const uplinkName: Shape<string> = name;

const teaming: Shape<Teaming> = object<Teaming>({
  active: list(name, 64),
  standby: withDefault(list(name, 64), []),
});

/** Any subset of the fields, each whole. */
export const policyPatchShape: Shape<PolicyPatch> = object<PolicyPatch>({
  vlan: optional(vlan) as Shape<VlanPolicy>,
  blocked: optional(bool) as Shape<boolean>,
  promiscuous: optional(bool) as Shape<boolean>,
  macChanges: optional(bool) as Shape<boolean>,
  forgedTransmits: optional(bool) as Shape<boolean>,
  shapingIn: optional(nullable(shaping)) as Shape<Shaping | null>,
  shapingOut: optional(nullable(shaping)) as Shape<Shaping | null>,
  filter: optional(list(rule, 1024)) as Shape<readonly FilterRule[]>,
  teaming: optional(teaming) as Shape<Teaming>,
});

export const policyFieldShape: Shape<PolicyField> = oneOf(...POLICY_FIELDS);
