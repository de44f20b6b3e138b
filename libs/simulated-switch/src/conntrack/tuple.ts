import { type CtTuple } from '#openflow';

/** A frame's place in a connection, as the switch sees it. */
export interface Tuple extends CtTuple {
  readonly src: bigint;
  readonly dst: bigint;
  readonly protocol: number;
  readonly tcpFlags: number;
  /** An ICMP error: the tuple is that of the frame it speaks of, seen from the other side. */
  readonly related: boolean;
}

const TCP = 6;
const UDP = 17;
const SCTP = 132;
const ICMP = 1;
const ICMP6 = 58;
/** Echo and timestamp, request to reply, by the protocol's number and the type. */
const REPLIES: Readonly<Record<string, number>> = { '1.8': 0, '1.13': 14, '1.15': 16, '58.128': 129 };
const REQUESTS: Readonly<Record<string, number>> = { '1.0': 8, '1.14': 13, '1.16': 15, '58.129': 128 };
const ERRORS: ReadonlySet<string> = new Set(
  ['1.3', '1.4', '1.5', '1.11', '1.12'].concat(['58.1', '58.2', '58.3', '58.4']),
);

/** The tuple of an IP packet of this family that starts at `at`; undefined: conntrack calls it invalid. */
export function tupleOf(v: DataView, at: number, family: 4 | 6, inner = false): Tuple | undefined {
  if (v.byteLength < at + 20) return undefined;
  if (v.getUint8(at) >> 4 !== family) return undefined;
  return family === 4 ? ipv4(v, at, inner) : ipv6(v, at, inner);
}

function ipv4(v: DataView, at: number, inner: boolean): Tuple | undefined {
  // A real switch puts fragments together first; here they are simply not understood.
  if ((v.getUint16(at + 6) & 0x3fff) !== 0) return undefined;
  const header = (v.getUint8(at) & 0xf) * 4;
  const src = BigInt(v.getUint32(at + 12));
  const dst = BigInt(v.getUint32(at + 16));
  return transport(v, at + header, v.getUint8(at + 9), { family: 4, src, dst }, inner);
}

function ipv6(v: DataView, at: number, inner: boolean): Tuple | undefined {
  if (v.byteLength < at + 40) return undefined;
  const address = (from: number) => (v.getBigUint64(from) << 64n) | v.getBigUint64(from + 8);
  const ends = { family: 6 as const, src: address(at + 8), dst: address(at + 24) };
  return transport(v, at + 40, v.getUint8(at + 6), ends, inner);
}

type Ends = Pick<Tuple, 'family' | 'src' | 'dst'>;

function transport(v: DataView, at: number, protocol: number, ends: Ends, inner: boolean): Tuple | undefined {
  const room = v.byteLength - at;
  const base = { ...ends, protocol, tcpFlags: 0, related: false };
  if (protocol === TCP || protocol === UDP || protocol === SCTP) {
    // Of the frame that an error speaks of only 8 bytes must be there.
    if (room < (protocol === TCP && !inner ? 20 : 8)) return undefined;
    const tcpFlags = protocol === TCP && !inner ? v.getUint8(at + 13) : 0;
    return { ...base, tcpFlags, srcPort: v.getUint16(at), dstPort: v.getUint16(at + 2) };
  }
  if (protocol !== ICMP && protocol !== ICMP6) return base;
  if (room < 8) return undefined;
  const icmpType = v.getUint8(at);
  const name = `${protocol}.${icmpType}`;
  if (ERRORS.has(name)) return inner ? undefined : related(v, at + 8, ends.family);
  if (REPLIES[name] === undefined && REQUESTS[name] === undefined) return undefined;
  return { ...base, icmpType, icmpCode: v.getUint8(at + 1), icmpId: v.getUint16(at + 4) };
}

function related(v: DataView, at: number, family: 4 | 6): Tuple | undefined {
  const inner = tupleOf(v, at, family, true);
  return inner && { ...reverse(inner), related: true };
}

/** The tuple of an answer. */
export function reverse(t: Tuple): Tuple {
  const { src, dst, srcPort, dstPort, icmpType, ...rest } = t;
  const name = `${t.protocol}.${icmpType}`;
  const type = REPLIES[name] ?? REQUESTS[name];
  return {
    ...rest,
    src: dst,
    dst: src,
    ...(srcPort === undefined || dstPort === undefined ? {} : { srcPort: dstPort, dstPort: srcPort }),
    ...(type === undefined ? {} : { icmpType: type }),
  };
}

export const tupleKey = (t: Tuple): string =>
  `${t.protocol}|${t.src}|${t.dst}|${t.srcPort ?? t.icmpId ?? 0}|${t.dstPort ?? t.icmpType ?? 0}`;

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** Whether a first frame like this may begin a connection: also one that begins in the middle, but for a SYN+ACK. */
export function mayBegin(t: Tuple): boolean {
  if (t.related) return false;
  if (t.protocol === ICMP || t.protocol === ICMP6)
    return REPLIES[`${t.protocol}.${t.icmpType}`] !== undefined;
  return t.protocol !== TCP || (t.tcpFlags & (SYN | ACK)) !== (SYN | ACK);
}

/** Flags that no TCP sends. */
export function isBroken({ protocol, tcpFlags: f, related: error }: Tuple): boolean {
  if (protocol !== TCP || error) return false;
  if ((f & SYN) !== 0) return (f & (RST | FIN)) !== 0;
  return (f & (ACK | RST)) === 0;
}

export const isOpening = (t: Tuple): boolean => t.protocol === TCP && (t.tcpFlags & (SYN | ACK)) === SYN;
export const isReset = (t: Tuple): boolean => t.protocol === TCP && (t.tcpFlags & RST) !== 0;
export const isFinal = (t: Tuple): boolean => t.protocol === TCP && (t.tcpFlags & FIN) !== 0;
