import { POLICY_FIELDS } from '#domain/on-host';
import { AnIndex, AText, AVlanId, Count } from './scalars.js';
import { bool, list, literal, nullable, oneOf, optional, shape, union } from './schema.js';

const Vlan = union([
  shape({ mode: literal('none') }),
  shape({ mode: literal('access'), id: AVlanId }),
  shape({ mode: literal('trunk'), ranges: list(shape({ from: AVlanId, to: AVlanId }), 4094) }),
]);

const Shaping = nullable(shape({ average: Count, peak: Count, burst: Count }));
const Ports = shape({ from: AnIndex(65535), to: AnIndex(65535) });

const Match = shape({
  srcMac: optional(AText),
  dstMac: optional(AText),
  etherType: optional(AnIndex(65535)),
  ipProtocol: optional(AnIndex(255)),
  src: optional(AText),
  dst: optional(AText),
  srcPort: optional(Ports),
  dstPort: optional(Ports),
  icmpType: optional(AnIndex(255)),
});

const Rule = shape({
  name: AText,
  direction: oneOf('in', 'out', 'both'),
  action: oneOf('allow', 'drop'),
  match: Match,
});

const Uplinks = list(AText, 64);

/** The shape of a policy. What its values mean together (ranges, bursts, uplink names) is the domain's to judge. */
export const PolicyPatchSchema = shape({
  vlan: optional(Vlan),
  blocked: optional(bool),
  promiscuous: optional(bool),
  macChanges: optional(bool),
  forgedTransmits: optional(bool),
  shapingIn: optional(Shaping),
  shapingOut: optional(Shaping),
  filter: optional(list(Rule, 1000)),
  teaming: optional(shape({ active: Uplinks, standby: Uplinks })),
});

export const PolicyFieldSchema = oneOf(...POLICY_FIELDS);
