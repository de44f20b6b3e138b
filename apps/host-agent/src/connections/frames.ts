import { ipv4ToBigint, ipv6ToBigint, parseCidr } from '#kernel';
import { type CarriedConnection } from '#contracts';
import { type KeepsState } from '#compiler';
import { ipFrame } from '../frames/ip.js';
import { isOneHost } from '../rules/answer.js';

const [ICMP, TCP, UDP, ICMP6] = [1, 6, 17, 58];
const [SYN, RST, ACK] = [2, 4, 16];
/** Nobody's: conntrack does not know the other end's. */
export const OTHER_END = 0x02_00_00_00_00_00n;

/** What brings a connection about in another switch. */
export interface Beginning {
  /** As whoever began it: the rules are asked of this one. */
  readonly first: Uint8Array;
  /** What conntrack must see behind it to know how far the connection is. */
  readonly then: readonly Uint8Array[];
  /** What conntrack must see to know that it is over; absent: it finds out by itself. */
  readonly end?: Uint8Array;
}

/** Null: it makes no sense, or is none that this port could have. Another host said it, so it is anything. */
export function beginningOf(
  told: CarriedConnection,
  { mac, addresses }: Pick<KeepsState, 'mac' | 'addresses'>,
  other = OTHER_END,
): Beginning | null {
  const [src, dst] = [octetsOf(told.src), octetsOf(told.dst)];
  if (src === null || dst === null || src.length !== dst.length) return null;
  if (!isOneHost(src) || !isOneHost(dst) || !mayBe(told.way === 'in' ? told.src : told.dst, addresses))
    return null;
  const [to, from] = told.way === 'in' ? [other, mac] : [mac, other];
  const ask = (body: Uint8Array): Uint8Array =>
    ipFrame({ to, from, src, dst, protocol: told.protocol, body });
  const answer = (body: Uint8Array): Uint8Array =>
    ipFrame({ to: from, from: to, src: dst, dst: src, protocol: told.protocol, body });
  const { srcPort, dstPort, icmp, protocol } = told;
  if (protocol === TCP || protocol === UDP) {
    if (srcPort === undefined || dstPort === undefined) return null;
    if (protocol === UDP) return { first: ask(udp(srcPort, dstPort)), then: [] };
    const first = ask(tcp(srcPort, dstPort, told.opening === true ? SYN : ACK));
    const end = ask(tcp(srcPort, dstPort, RST | ACK));
    return { first, then: told.opening === true ? [] : [answer(tcp(dstPort, srcPort, ACK)), first], end };
  }
  if (protocol === ICMP || protocol === ICMP6) {
    if (icmp === undefined || (protocol === ICMP) !== (src.length === 4)) return null;
    const body = Uint8Array.of(icmp.type, icmp.code, 0, 0, icmp.id >> 8, icmp.id & 0xff, 0, 0);
    return { first: ask(body), then: [] };
  }
  return { first: ask(new Uint8Array(8)), then: [] };
}

function tcp(srcPort: number, dstPort: number, flags: number): Uint8Array {
  const body = new DataView(new ArrayBuffer(20));
  body.setUint16(0, srcPort);
  body.setUint16(2, dstPort);
  body.setUint32(4, 1);
  body.setUint32(8, flags === SYN ? 0 : 1);
  body.setUint8(12, 5 << 4);
  body.setUint8(13, flags);
  body.setUint16(14, 0xffff);
  return new Uint8Array(body.buffer);
}

const udp = (srcPort: number, dstPort: number): Uint8Array =>
  Uint8Array.of(srcPort >> 8, srcPort & 0xff, dstPort >> 8, dstPort & 0xff, 0, 8, 0, 0);

function octetsOf(text: string): Uint8Array | null {
  const v4 = ipv4ToBigint(text);
  const address = v4 ?? ipv6ToBigint(text);
  if (address === undefined) return null;
  const length = v4 === undefined ? 16 : 4;
  return Uint8Array.from({ length }, (_, i) => Number((address >> BigInt(8 * (length - 1 - i))) & 0xffn));
}

/** Whether the port's guest may have this address. */
function mayBe(text: string, addresses: KeepsState['addresses']): boolean {
  const address = parseCidr(text);
  if (addresses === null || !address.ok) return addresses === null;
  const { family, prefix: bits, address: value } = address.value;
  return addresses.some((allowed) => {
    const cidr = parseCidr(allowed);
    if (!cidr.ok || cidr.value.family !== family) return false;
    const rest = BigInt(bits - cidr.value.prefix);
    return value >> rest === cidr.value.address >> rest;
  });
}
