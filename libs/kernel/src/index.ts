export { assertNever, type Brand } from './brand.js';
export { canonicalJson, equalJson } from './canonical.js';
export {
  NAME_RULE,
  parseGroupName,
  parseHostName,
  parseIfaceId,
  parseEvacuationId,
  parseMigrationId,
  parsePortId,
  parseSetName,
  parseSwitchName,
  type Epoch,
  type GroupName,
  type HostName,
  type IfaceId,
  type Lineage,
  type EvacuationId,
  type MigrationId,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
} from './ids.js';
export {
  ipv4ToBigint,
  ipv6ToBigint,
  macFromBigint,
  macToBigint,
  parseCidr,
  parseMac,
  parseUnicastMac,
  parseVlanId,
  TOKEN_ADDRESSES,
  type Cidr,
  type Mac,
  type VlanId,
} from './net.js';
export { systemClock, type Clock, type IdGenerator } from './ports.js';
export {
  describe,
  detail,
  err,
  invalid,
  ok,
  problem,
  PROBLEM_CODES,
  ProblemError,
  unwrap,
  type Problem,
  type ProblemCode,
  type ProblemDetail,
  type Result,
} from './result.js';
export { once, sameItems } from './once.js';
export { Random } from './random.js';
export { isRecord, messageOf } from './unknown.js';
