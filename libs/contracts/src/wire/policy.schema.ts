import Type from 'typebox';
import { AnIndex, AText, AVlanId, Count, list, nullable, shape } from './scalars.js';

const Vlan = Type.Union([
  shape({ mode: Type.Literal('none') }),
  shape({ mode: Type.Literal('access'), id: AVlanId }),
  shape({ mode: Type.Literal('trunk'), ranges: list(shape({ from: AVlanId, to: AVlanId }), 4094) }),
]);

const Shaping = nullable(shape({ average: Count, peak: Count, burst: Count }));
const Ports = shape({ from: AnIndex(65535), to: AnIndex(65535) });

const Match = shape({
  srcMac: Type.Optional(AText),
  dstMac: Type.Optional(AText),
  etherType: Type.Optional(AnIndex(65535)),
  ipProtocol: Type.Optional(AnIndex(255)),
  src: Type.Optional(AText),
  dst: Type.Optional(AText),
  srcPort: Type.Optional(Ports),
  dstPort: Type.Optional(Ports),
  icmpType: Type.Optional(AnIndex(255)),
});

const Rule = shape({
  name: AText,
  direction: Type.Union([Type.Literal('in'), Type.Literal('out'), Type.Literal('both')]),
  action: Type.Union([Type.Literal('allow'), Type.Literal('drop')]),
  match: Match,
});

const Uplinks = list(AText, 64);

/** The shape of a policy. What its values mean together (ranges, bursts, uplink names) is the domain's to judge. */
export const PolicyPatchSchema = shape({
  vlan: Type.Optional(Vlan),
  blocked: Type.Optional(Type.Boolean()),
  promiscuous: Type.Optional(Type.Boolean()),
  macChanges: Type.Optional(Type.Boolean()),
  forgedTransmits: Type.Optional(Type.Boolean()),
  shapingIn: Type.Optional(Shaping),
  shapingOut: Type.Optional(Shaping),
  filter: Type.Optional(list(Rule, 1000)),
  teaming: Type.Optional(shape({ active: Uplinks, standby: Uplinks })),
});

export const PolicyFieldSchema = Type.Union([
  Type.Literal('vlan'),
  Type.Literal('blocked'),
  Type.Literal('promiscuous'),
  Type.Literal('macChanges'),
  Type.Literal('forgedTransmits'),
  Type.Literal('shapingIn'),
  Type.Literal('shapingOut'),
  Type.Literal('filter'),
  Type.Literal('teaming'),
]);
