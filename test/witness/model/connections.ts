import { type Filter, type FilterRule } from '#domain';
import { isGroupMac, PROTOCOL, type Frame, type Ip } from './frame.js';
import { decidingRule, isInSets, matches, rulesOf, TIERS, type Seen, type Way } from './filter.js';

/** What a filter says of a frame: dropped, or let through by a rule, by the default or as an answer. */
export type Verdict = { readonly passes: false } | { readonly passes: true; readonly rule?: FilterRule };

interface Connection {
  /** Which way it passed last, and what the rule said that let it: rules that say the same are the same. */
  allowedBy: string;
}

/** The connections of one port. */
export class Connections {
  private readonly known = new Map<string, Connection>();

  /** Without memory each frame is the first of its connection. */
  constructor(private readonly remembers: boolean) {}

  /** `isWithin`: whether a rule's rate has room for it, which what is dropped by it takes none of. */
  judge(filter: Filter, way: Way, seen: Seen, isWithin: (rule: FilterRule) => boolean = () => true): Verdict {
    const ip = filter.stateful ? trackable(seen.frame) : undefined;
    const answered = ip === undefined ? undefined : this.known.get(keyOf(ip, 'backwards'));
    const forth = ip === undefined ? undefined : this.known.get(keyOf(ip, 'forwards'));
    if (answered !== undefined && forth === undefined && isAnswer(filter, way, answered, seen))
      return { passes: true };
    const known = answered ?? forth;
    const rule = decidingRule(filter.rules, way, seen);
    const action = rule?.action ?? filter.default;
    if (action === 'drop' || action === 'reject') return { passes: false };
    if (rule?.rate !== undefined && !isWithin(rule)) return { passes: false };
    if (ip !== undefined && action === 'allow' && (known !== undefined || mayBegin(ip)))
      this.enter(ip, known, meaning(rule, way));
    return rule === undefined ? { passes: true } : { passes: true, rule };
  }

  private enter(ip: Ip, known: Connection | undefined, allowedBy: string): void {
    if (!this.remembers) return;
    if (known !== undefined) known.allowedBy = allowedBy;
    else this.known.set(keyOf(ip, 'forwards'), { allowedBy });
  }
}

/** State is of IP unicast, and of what can be answered. */
function trackable({ to, tags, body }: Frame): Ip | undefined {
  if (tags.length > 0 || body.kind !== 'ip' || isGroupMac(to)) return undefined;
  return body;
}

const SYN = 2;
const ACK = 16;

/** The second step of TCP begins nothing, nor does what ICMP says without being asked to answer. */
function mayBegin({ protocol, flags = 0, icmp }: Ip): boolean {
  if (protocol === PROTOCOL.tcp) return (flags & SYN) === 0 || (flags & ACK) === 0;
  return icmp === undefined || icmp.type === 8 || icmp.type === 128;
}

function keyOf({ version, protocol, src, dst, ports, icmp }: Ip, order: 'forwards' | 'backwards'): string {
  const [a, b] = order === 'forwards' ? [src, dst] : [dst, src];
  const [x, y] = order === 'forwards' ? [ports?.src, ports?.dst] : [ports?.dst, ports?.src];
  const echo = icmp === undefined ? [] : [icmp.ident, order === 'forwards' ? icmp.type : ECHO[icmp.type]];
  return [version, protocol, a, b, x, y, ...echo].join(' ');
}

/** What is asked, by what answers. */
const ECHO: Readonly<Record<number, number>> = { 0: 8, 129: 128 };

const meaning = (rule: FilterRule | undefined, way: Way): string =>
  rule === undefined
    ? way
    : `${way} ${JSON.stringify(Object.entries(rule.match).sort(([a], [b]) => (a < b ? -1 : 1)))}`;

/**
 * The rules of the other way, as if the frame went that way: it passes by the one that let pass what it answers, if none
 * before it drops the connection.
 */
function isAnswer(filter: Filter, way: Way, { allowedBy }: Connection, seen: Seen): boolean {
  const back: Seen = { ...seen, frame: turned(seen.frame) };
  const asked = way === 'in' ? 'out' : 'in';
  for (const tier of TIERS)
    for (const rule of rulesOf(filter.rules, asked, tier)) {
      const isIts = rule.action === 'allow' && meaning(rule, asked) === allowedBy;
      if (isIts && isInSets(rule.match, back)) return true;
      if (rule.action === 'allow' || rule.action === 'allow-stateless' || speaksOfOneFrame(rule)) continue;
      if (!matches(rule.match, back)) continue;
      if (rule.action === 'pass') break;
      return false;
    }
  return filter.default === 'allow' && allowedBy === asked;
}

function turned(frame: Frame): Frame {
  const { to, from, body } = frame;
  if (body.kind !== 'ip') return frame;
  const { src, dst, ports } = body;
  return {
    ...frame,
    to: from,
    from: to,
    body: {
      ...body,
      src: dst,
      dst: src,
      ...(ports === undefined ? {} : { ports: { src: ports.dst, dst: ports.src } }),
    },
  };
}

const speaksOfOneFrame = ({ match }: FilterRule): boolean =>
  [match.tcpFlags, match.icmpType, match.dscp, match.cos, match.fragments].some(
    (field) => field !== undefined,
  );
