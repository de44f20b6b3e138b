import {
  detail,
  err,
  invalid,
  ok,
  parseCidr,
  parseMac,
  parseSetName,
  type Result,
  type SetName,
} from '#kernel';
import {
  bool,
  int,
  leaf,
  list,
  object,
  oneOf,
  optional,
  parsed,
  withDefault,
  type Shape,
} from '../shape/shape.js';
import {
  LAST_TIER,
  NO_FILTER,
  RULE_ACTIONS,
  TCP_FLAGS,
  USUAL_TIER,
  type Filter,
  type FilterMatch,
  type FilterRule,
  type PortRange,
  type RuleLog,
  type RuleMark,
  type RuleRate,
  type TcpFlags,
} from './filter.js';

export const name: Shape<string> = leaf(
  '1 to 63 letters, digits and _ . -',
  (v) => typeof v === 'string' && /^[A-Za-z0-9_.-]{1,63}$/.test(v) && v !== '__proto__',
);

/** Rules that a list may have; how many of them a host can carry out is its own affair. */
export const MOST_RULES = 1024;

const portNumber = int(0, 65_535);
const portRange: Shape<PortRange> = object<PortRange>({ from: portNumber, to: portNumber });

/** A MAC, or one under a mask. Bits outside of the mask are zero in the normal form. */
const maskedMac: Shape<string> = parsed<string>((value, field): Result<string> => {
  if (typeof value !== 'string' || !value.includes('/')) return parseMac(value, field);
  const [address, mask] = value.split('/', 2).map((part) => parseMac(part, field));
  if (address?.ok !== true) return address ?? err(invalid(field, value, 'is not a MAC address'));
  if (mask?.ok !== true) return mask ?? err(invalid(field, value, 'has no mask after /'));
  if (value.split('/').length > 2) return err(invalid(field, value, 'has two masks', 'one /'));
  const bits = mask.value.split(':').map((octet) => parseInt(octet, 16));
  const octets = address.value.split(':').map((octet, i) => parseInt(octet, 16) & (bits[i] ?? 0));
  return ok(`${octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':')}/${mask.value}`);
});

export const prefix: Shape<string> = parsed<string>((value, field): Result<string> => {
  const cidr = parseCidr(value, field);
  return cidr.ok ? ok((value as string).toLowerCase()) : cidr;
});

const flags = list(oneOf(...TCP_FLAGS), TCP_FLAGS.length);
const tcpFlags: Shape<TcpFlags> = object<TcpFlags>({
  set: withDefault(flags, []),
  clear: withDefault(flags, []),
});

const ipVersion: Shape<4 | 6> = leaf('4 or 6', (v) => v === 4 || v === 6);

const set: Shape<SetName> = parsed(parseSetName);

const match: Shape<FilterMatch> = object<FilterMatch>({
  srcMac: optional(maskedMac) as Shape<string>,
  dstMac: optional(maskedMac) as Shape<string>,
  etherType: optional(int(0x0600, 0xffff)) as Shape<number>,
  vlan: optional(int(0, 4094)) as Shape<number>,
  cos: optional(int(0, 7)) as Shape<number>,
  ipVersion: optional(ipVersion) as Shape<4 | 6>,
  ipProtocol: optional(int(0, 255)) as Shape<number>,
  src: optional(prefix) as Shape<string>,
  dst: optional(prefix) as Shape<string>,
  srcSet: optional(set) as Shape<SetName>,
  dstSet: optional(set) as Shape<SetName>,
  srcPort: optional(portRange) as Shape<PortRange>,
  dstPort: optional(portRange) as Shape<PortRange>,
  icmpType: optional(int(0, 255)) as Shape<number>,
  icmpCode: optional(int(0, 255)) as Shape<number>,
  tcpFlags: optional(tcpFlags) as Shape<TcpFlags>,
  dscp: optional(int(0, 63)) as Shape<number>,
  fragments: optional(oneOf('first', 'later')) as Shape<'first' | 'later'>,
});

const mark: Shape<RuleMark> = object<RuleMark>({
  dscp: optional(int(0, 63)) as Shape<number>,
  cos: optional(int(0, 7)) as Shape<number>,
});

const rate: Shape<RuleRate> = object<RuleRate>({
  unit: oneOf('pps', 'kbps'),
  rate: int(1, 1e9),
  burst: optional(int(1, 1e9)) as Shape<number>,
});

const log: Shape<RuleLog> = object<RuleLog>({
  perSecond: withDefault(int(1, 100), 1),
  sample: withDefault(int(1, 1e6), 1),
});

const rule: Shape<FilterRule> = object<FilterRule>({
  name,
  direction: withDefault(oneOf('in', 'out', 'both'), 'both'),
  tier: withDefault(int(0, LAST_TIER), USUAL_TIER),
  enabled: withDefault(bool, true),
  action: oneOf(...RULE_ACTIONS),
  match: withDefault(match, {}),
  mark: optional(mark) as Shape<RuleMark>,
  rate: optional(rate) as Shape<RuleRate>,
  log: optional(log) as Shape<RuleLog>,
});

const rules = list(rule, MOST_RULES);

const whole: Shape<Filter> = object<Filter>({
  stateful: withDefault(bool, NO_FILTER.stateful),
  default: withDefault(oneOf('allow', 'drop'), NO_FILTER.default),
  rules: withDefault(rules, []),
});

/** Also a list of rules alone: stateless, and what none of them takes is allowed. */
export const filterShape: Shape<Filter> = {
  is: whole.is,
  explain: (v, path, out) => {
    if (Array.isArray(v)) rules.explain(v, path, out);
    else if (typeof v !== 'object' || v === null)
      out.push(
        detail(path, v, 'is not a filter', 'a list of rules, or a map with stateful, default and rules'),
      );
    else whole.explain(v, path, out);
  },
  fill: (v) => (Array.isArray(v) ? { ...NO_FILTER, rules: rules.fill(v) } : whole.fill(v)),
};
