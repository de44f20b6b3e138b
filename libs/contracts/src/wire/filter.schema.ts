import { LAST_TIER, RULE_ACTIONS, TCP_FLAGS } from '#domain/on-host';
import { AnIndex, ASetName, AText } from './scalars.js';
import { bool, list, literal, oneOf, optional, shape, union, whole } from './schema.js';

const Ports = shape({ from: AnIndex(65535), to: AnIndex(65535) });
const Flags = list(oneOf(...TCP_FLAGS), TCP_FLAGS.length);

const Match = shape({
  srcMac: optional(AText),
  dstMac: optional(AText),
  etherType: optional(AnIndex(65535)),
  vlan: optional(AnIndex(4094)),
  cos: optional(AnIndex(7)),
  ipVersion: optional(union([literal(4), literal(6)])),
  ipProtocol: optional(AnIndex(255)),
  src: optional(AText),
  dst: optional(AText),
  srcSet: optional(ASetName),
  dstSet: optional(ASetName),
  srcPort: optional(Ports),
  dstPort: optional(Ports),
  icmpType: optional(AnIndex(255)),
  icmpCode: optional(AnIndex(255)),
  tcpFlags: optional(shape({ set: Flags, clear: Flags })),
  dscp: optional(AnIndex(63)),
  fragments: optional(oneOf('first', 'later')),
});

const Rate = whole(1, 'an integer from 1 to 1,000,000,000', 1e9);

const Rule = shape({
  name: AText,
  direction: oneOf('in', 'out', 'both'),
  tier: AnIndex(LAST_TIER),
  enabled: bool,
  action: oneOf(...RULE_ACTIONS),
  match: Match,
  mark: optional(shape({ dscp: optional(AnIndex(63)), cos: optional(AnIndex(7)) })),
  rate: optional(shape({ unit: oneOf('pps', 'kbps'), rate: Rate, burst: optional(Rate) })),
  log: optional(shape({ perSecond: AnIndex(100), sample: AnIndex(1_000_000) })),
});

export const FilterSchema = shape({
  stateful: bool,
  default: oneOf('allow', 'drop'),
  rules: list(Rule, 1024),
});
