import { readMac } from '../frames/ethernet.js';

/** What is said of an IP packet in a frame. */
export interface IpHeader {
  readonly family: 4 | 6;
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
  readonly protocol: number;
  /** Where in the frame what is above IP begins; what is there of it may be cut short, or belong to a later fragment. */
  readonly above: number;
  /** Octets above IP, as the header says. */
  readonly length: number;
  readonly isLaterFragment: boolean;
}

export interface FrameHead {
  /** MACs as numbers. */
  readonly dst: bigint;
  readonly src: bigint;
  readonly etherType: number;
  readonly ip: IpHeader | null;
}

export const IP_AT = 14;
export const IPV4 = 0x0800;
export const IPV6 = 0x86dd;
export const TCP = 6;
export const UDP = 17;
export const SCTP = 132;
export const ICMP = { 4: 1, 6: 58 } as const;
/** Extension headers of IPv6: hop by hop, routing, destination; fragment and authentication are of other lengths. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** No honest packet has more; each is read once. */
const MOST_EXTENSIONS = 8;

/** Headers of an untagged frame as it came from a guest or the wire: anything. Null: not even Ethernet. */
export function readHead(frame: Uint8Array): FrameHead | null {
  if (frame.length < IP_AT) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const etherType = view.getUint16(12);
  const ip = etherType === IPV4 ? readIpv4(view) : etherType === IPV6 ? readIpv6(view) : null;
  return { dst: readMac(view, 0), src: readMac(view, 6), etherType, ip };
}

const bytes = (view: DataView, at: number, length: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, length);

function readIpv4(view: DataView): IpHeader | null {
  if (view.byteLength < IP_AT + 20) return null;
  const first = view.getUint8(IP_AT);
  const header = (first & 15) * 4;
  const total = view.getUint16(IP_AT + 2);
  if (first >> 4 !== 4 || header < 20 || total < header || view.byteLength < IP_AT + header) return null;
  return {
    family: 4,
    src: bytes(view, IP_AT + 12, 4),
    dst: bytes(view, IP_AT + 16, 4),
    protocol: view.getUint8(IP_AT + 9),
    above: IP_AT + header,
    length: total - header,
    isLaterFragment: (view.getUint16(IP_AT + 6) & 0x1fff) !== 0,
  };
}

function readIpv6(view: DataView): IpHeader | null {
  if (view.byteLength < IP_AT + 40 || view.getUint8(IP_AT) >> 4 !== 6) return null;
  const end = IP_AT + 40 + view.getUint16(IP_AT + 4);
  let [protocol, above, isLaterFragment] = [view.getUint8(IP_AT + 6), IP_AT + 40, false];
  for (let i = 0; i < MOST_EXTENSIONS && !isLaterFragment; i += 1) {
    const isFragment = protocol === FRAGMENT;
    if (!isFragment && protocol !== AUTHENTICATION && !EXTENSIONS.has(protocol)) break;
    if (view.byteLength < above + 8) return null;
    const words = view.getUint8(above + 1);
    if (isFragment) isLaterFragment = (view.getUint16(above + 2) & 0xfff8) !== 0;
    const size = isFragment ? 8 : protocol === AUTHENTICATION ? (words + 2) * 4 : (words + 1) * 8;
    protocol = view.getUint8(above);
    above += size;
  }
  if (above > end) return null;
  const [src, dst] = [bytes(view, IP_AT + 8, 16), bytes(view, IP_AT + 24, 16)];
  return { family: 6, src, dst, protocol, above, length: end - above, isLaterFragment };
}

const WITH_PORTS: ReadonlySet<number> = new Set([TCP, UDP, SCTP]);

/** Ports of what has some, where the frame holds them. */
export function portsOf(
  frame: Uint8Array,
  { protocol, above, length, isLaterFragment }: IpHeader,
): { readonly srcPort?: number; readonly dstPort?: number } {
  if (!WITH_PORTS.has(protocol) || isLaterFragment || length < 4 || frame.length < above + 4) return {};
  const view = new DataView(frame.buffer, frame.byteOffset + above, 4);
  return { srcPort: view.getUint16(0), dstPort: view.getUint16(2) };
}
