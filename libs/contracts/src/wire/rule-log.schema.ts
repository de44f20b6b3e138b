import { MOST_LOG_LINES } from '../rule-log.js';
import { AnIndex, APortId, AText, Count, Millis } from './scalars.js';
import { list, optional, shape } from './schema.js';

const APortNumber = AnIndex(65_535);

const Ip = shape({
  src: AText,
  dst: AText,
  protocol: AnIndex(255),
  srcPort: optional(APortNumber),
  dstPort: optional(APortNumber),
});

const Line = shape({
  time: Millis,
  switch: AText,
  port: APortId,
  rule: AText,
  direction: AText,
  verdict: AText,
  vlan: AnIndex(4095),
  srcMac: AText,
  dstMac: AText,
  etherType: APortNumber,
  ip: optional(Ip),
});

export const RuleLogSchema = shape({ lines: list(Line, MOST_LOG_LINES), more: Count });
