import { parseVlanId, parseUnicastMac, type Mac, type VlanId } from '#kernel';
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
  SHARES,
  TEAMING_MODES,
  TRAFFIC_CLASSES,
  type Addresses,
  type Bandwidth,
  type MacLearning,
  type Macs,
  type Shaping,
  type Teaming,
  type VlanPolicy,
  type VlanRange,
} from './fields.js';
import { filterShape, name, prefix } from './filter-shape.js';
import { type Filter } from './filter.js';
import { POLICY_FIELDS, USUAL_TEAMING, type PolicyField, type PolicyPatch } from './policy.js';

export const vlanId: Shape<VlanId> = parsed(parseVlanId);
const range: Shape<VlanRange> = object<VlanRange>({ from: vlanId, to: vlanId });

type Vlan<M extends VlanPolicy['mode']> = Extract<VlanPolicy, { mode: M }>;

const vlan: Shape<VlanPolicy> = tagged<VlanPolicy>('mode', {
  none: object<Vlan<'none'>>({ mode: oneOf('none') }),
  access: object<Vlan<'access'>>({ mode: oneOf('access'), id: vlanId }),
  trunk: object<Vlan<'trunk'>>({
    mode: oneOf('trunk'),
    ranges: list(range, 4094),
    native: optional(vlanId) as Shape<VlanId>,
  }),
  private: object<Vlan<'private'>>({ mode: oneOf('private'), primary: vlanId, secondary: vlanId }),
});

/** bit/s, up to 10 Tbit/s. */
const MOST_RATE = 1e13;

const shaping: Shape<Shaping> = object<Shaping>({
  average: int(1, MOST_RATE),
  peak: int(1, MOST_RATE),
  burst: int(1, 1e12),
});

const mac: Shape<Mac> = parsed(parseUnicastMac);

const macs: Shape<Macs> = object<Macs>({
  extra: withDefault(list(mac, 64), []),
  shared: withDefault(list(mac, 16), []),
});

const macLearning: Shape<MacLearning> = object<MacLearning>({
  limit: withDefault(int(1, 4096), 4096),
  atLimit: withDefault(oneOf('drop', 'flood'), 'drop'),
  ageSeconds: withDefault(int(15, 3600), 300),
  floodUnknown: withDefault(bool, false),
});

const addresses: Shape<Addresses> = object<Addresses>({
  allow: list(prefix, 256),
  arp: withDefault(bool, true),
  nd: withDefault(bool, true),
  dhcp: withDefault(bool, true),
});

export const uplinkName: Shape<string> = name;

const teaming: Shape<Teaming> = object<Teaming>({
  mode: withDefault(oneOf(...TEAMING_MODES), USUAL_TEAMING.mode),
  active: list(name, 64),
  standby: withDefault(list(name, 64), []),
  failback: withDefault(bool, USUAL_TEAMING.failback),
  notify: withDefault(bool, USUAL_TEAMING.notify),
  detection: withDefault(oneOf('link', 'beacon'), USUAL_TEAMING.detection),
});

/** 1 to 100, or a word for it. */
export const sharesShape: Shape<number> = (() => {
  const number = int(1, 100);
  const word = (v: unknown): v is keyof typeof SHARES => typeof v === 'string' && Object.hasOwn(SHARES, v);
  return {
    ...leaf<number>('a whole number from 1 to 100, or low, normal, high', (v) => number.is(v) || word(v)),
    is: number.is,
    fill: (v: unknown) => (word(v) ? SHARES[v] : (v as number)),
  };
})();

export const limitShape: Shape<number | null> = withDefault(nullable(int(1e6, MOST_RATE)), null);
export const reservationShape: Shape<number> = withDefault(int(0, MOST_RATE), 0);

const bandwidth: Shape<Bandwidth> = object<Bandwidth>({
  shares: withDefault(sharesShape, SHARES.normal),
  limit: limitShape,
  reservation: reservationShape,
  class: withDefault(oneOf(...TRAFFIC_CLASSES), 'vm'),
});

/** Any subset of the fields, each whole. */
export const policyPatchShape: Shape<PolicyPatch> = object<PolicyPatch>({
  vlan: optional(vlan) as Shape<VlanPolicy>,
  blocked: optional(bool) as Shape<boolean>,
  promiscuous: optional(bool) as Shape<boolean>,
  macChanges: optional(bool) as Shape<boolean>,
  forgedTransmits: optional(bool) as Shape<boolean>,
  macs: optional(macs) as Shape<Macs>,
  macLearning: optional(nullable(macLearning)) as Shape<MacLearning | null>,
  addresses: optional(nullable(addresses)) as Shape<Addresses | null>,
  shapingIn: optional(nullable(shaping)) as Shape<Shaping | null>,
  shapingOut: optional(nullable(shaping)) as Shape<Shaping | null>,
  filter: optional(filterShape) as Shape<Filter>,
  teaming: optional(teaming) as Shape<Teaming>,
  bandwidth: optional(nullable(bandwidth)) as Shape<Bandwidth | null>,
  ipfix: optional(bool) as Shape<boolean>,
});

export const policyFieldShape: Shape<PolicyField> = oneOf(...POLICY_FIELDS);
