import { err, invalid, ok, parseCidr, parseGroupName, parsePortId, type Result, type VlanId } from '#kernel';
import {
  bool,
  byField,
  int,
  leaf,
  list,
  nullable,
  object,
  oneOf,
  optional,
  parsed,
  withDefault,
  type Shape,
} from '../shape/shape.js';
import { SHARES } from '../policy/fields.js';
import { limitShape, reservationShape, sharesShape, uplinkName, vlanId } from '../policy/shape.js';
import {
  NO_FEATURES,
  type ClassBandwidth,
  type Discovery,
  type Ipfix,
  type Lag,
  type Mirror,
  type MirrorSource,
  type MirrorTarget,
  type PrivateVlan,
  type Sflow,
  type SwitchBandwidth,
  type SwitchFeatures,
} from './spec.js';

/** An address alone, without a prefix length. */
const address: Shape<string> = parsed<string>((value, field): Result<string> => {
  const cidr = parseCidr(value, field);
  if (!cidr.ok) return cidr;
  const text = value as string;
  return text.includes('/')
    ? err(invalid(field, value, 'is a prefix', 'an address alone'))
    : ok(text.toLowerCase());
});

const COLLECTOR = /^(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]):([1-9][0-9]{0,4})$/;
/** `10.0.0.1:4739` or `[2001:db8::1]:4739` */
const collector: Shape<string> = leaf('an address and port, as in 10.0.0.1:4739', (v) => {
  const [, v4, v6, port] = (typeof v === 'string' ? COLLECTOR.exec(v) : null) ?? [];
  return parseCidr(v4 ?? v6).ok && Number(port) <= 65_535;
});

const privateVlan: Shape<PrivateVlan> = object<PrivateVlan>({
  primary: vlanId,
  secondary: vlanId,
  kind: oneOf('promiscuous', 'isolated', 'community'),
});

const lag: Shape<Lag> = object<Lag>({
  name: uplinkName,
  uplinks: list(uplinkName, 8),
  mode: withDefault(oneOf('active', 'passive'), 'active'),
  fast: withDefault(bool, false),
  hash: withDefault(oneOf('l2', 'l3l4'), 'l3l4'),
});

const direction = withDefault(oneOf('in', 'out', 'both'), 'both');
type Source<K extends string> = Extract<MirrorSource, { readonly [F in K]: unknown }>;
const source: Shape<MirrorSource> = byField<MirrorSource>({
  port: object<Source<'port'>>({ port: parsed(parsePortId), direction }),
  group: object<Source<'group'>>({ group: parsed(parseGroupName), direction }),
  uplink: object<Source<'uplink'>>({ uplink: uplinkName, direction }),
});

type Target<K extends string> = Extract<MirrorTarget, { readonly [F in K]: unknown }>;
const target: Shape<MirrorTarget> = byField<MirrorTarget>({
  port: object<Target<'port'>>({ port: parsed(parsePortId) }),
  uplinks: object<Target<'uplinks'>>({ uplinks: list(uplinkName, 64), vlan: vlanId }),
  erspan: object<Target<'erspan'>>({ erspan: address, session: int(0, 1023) }),
});

const segment = int(0, 4094) as unknown as Shape<VlanId>;
const mirror: Shape<Mirror> = object<Mirror>({
  name: uplinkName,
  sources: list(source, 1024),
  vlans: optional(list(segment, 4095)) as Shape<readonly VlanId[]>,
  to: target,
  snapLength: withDefault(nullable(int(64, 9216)), null),
  allowTraffic: withDefault(bool, false),
});

const ipfix: Shape<Ipfix> = object<Ipfix>({
  collector,
  domain: withDefault(int(0, 0xffff_ffff), 0),
  activeTimeout: withDefault(int(30, 3600), 60),
  sampling: withDefault(int(1, 65_536), 1),
  internalOnly: withDefault(bool, false),
});

const sflow: Shape<Sflow> = object<Sflow>({
  collector,
  sampling: withDefault(int(1, 1e6), 400),
  pollingSeconds: withDefault(int(1, 3600), 30),
  header: withDefault(int(64, 256), 128),
});

const discovery: Shape<Discovery> = object<Discovery>({
  mode: oneOf('off', 'listen', 'advertise', 'both'),
  intervalSeconds: withDefault(int(5, 3600), NO_FEATURES.discovery.intervalSeconds),
});

const ofClass: Shape<ClassBandwidth> = object<ClassBandwidth>({
  shares: withDefault(sharesShape, SHARES.normal),
  limit: limitShape,
  reservation: reservationShape,
});
type Classes = SwitchBandwidth['classes'];
const classes: Shape<Classes> = object<Classes>({
  management: optional(ofClass) as Shape<ClassBandwidth>,
  migration: optional(ofClass) as Shape<ClassBandwidth>,
  vm: optional(ofClass) as Shape<ClassBandwidth>,
  storage: optional(ofClass) as Shape<ClassBandwidth>,
});
const bandwidth: Shape<SwitchBandwidth> = object<SwitchBandwidth>({
  classes: withDefault(classes, {}),
  reservable: withDefault(int(0, 75), 75),
});

type Health = NonNullable<SwitchFeatures['healthCheck']>;

/** The part of a switch's spec that says what it does beside policies; each may be missing. */
export const featureShapes: { readonly [F in keyof SwitchFeatures]: Shape<SwitchFeatures[F]> } = {
  privateVlans: withDefault(list(privateVlan, 4094), NO_FEATURES.privateVlans),
  lags: withDefault(list(lag, 64), NO_FEATURES.lags),
  mirrors: withDefault(list(mirror, 32), NO_FEATURES.mirrors),
  ipfix: withDefault(nullable(ipfix), null),
  sflow: withDefault(nullable(sflow), null),
  discovery: withDefault(discovery, NO_FEATURES.discovery),
  multicast: withDefault(oneOf('basic', 'snooping'), NO_FEATURES.multicast),
  healthCheck: withDefault(nullable(object<Health>({ intervalSeconds: int(10, 3600) })), null),
  bandwidth: withDefault(nullable(bandwidth), null),
};
