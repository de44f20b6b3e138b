import { checksum, pseudoHeader } from '../frames/checksum.js';
import { writeHeader } from '../frames/ethernet.js';
import { ICMP, IP_AT, IPV4, IPV6, readHead, TCP, type FrameHead, type IpHeader } from './frame.js';

const FLAGS = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
/** Of what is rejected, an error quotes this much at most. */
const MOST_QUOTED = 512;
/** Errors of ICMP, which are never answered, and what neighbours say to each other. */
const ERRORS_V4: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
const isError = (family: 4 | 6, type: number): boolean =>
  family === 4 ? ERRORS_V4.has(type) : type < 128 || (type >= 130 && type <= 137);
/** "Port unreachable", which a socket tells its program as a connection refused. */
const UNREACHABLE = { 4: [3, 3], 6: [1, 4] } as const;

type IpFrame = FrameHead & { readonly ip: IpHeader };

/**
 * What whoever sent a frame is told when it is rejected, as if from the end that it was for: a reset of its TCP
 * connection, else an ICMP error. Null: there is nobody to tell, or one must not.
 */
export function answerTo(frame: Uint8Array): Uint8Array | null {
  const head = readHead(frame);
  if (head === null || !mayBeAnswered(head)) return null;
  const { ip } = head;
  const answer = ip.protocol === TCP ? reset(frame, ip) : unreachable(frame, ip);
  return answer === null ? null : framed(head, answer.protocol, answer.body);
}

/** Of unicast, from one host to one host; later fragments say too little. */
function mayBeAnswered(head: FrameHead): head is IpFrame {
  const { dst, src, ip } = head;
  const isGroup = (mac: bigint): boolean => ((mac >> 40n) & 1n) === 1n;
  if (ip === null || ip.isLaterFragment || isGroup(dst) || isGroup(src)) return false;
  return isOneHost(ip.src) && isOneHost(ip.dst);
}

function isOneHost(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  if (address.length === 4) return first > 0 && first < 224 && first !== 127;
  return first !== 0xff && address.some((octet, i) => octet > (i === 15 ? 1 : 0));
}

interface Answer {
  readonly protocol: number;
  readonly body: Uint8Array;
}

function reset(frame: Uint8Array, { above, length }: IpHeader): Answer | null {
  if (frame.length < above + 20 || length < 20) return null;
  const of = new DataView(frame.buffer, frame.byteOffset + above, 20);
  const flags = of.getUint8(13);
  if ((flags & FLAGS.rst) !== 0) return null;
  const data = Math.max(0, length - (of.getUint8(12) >> 4) * 4);
  const taken = data + ((flags & FLAGS.syn) === 0 ? 0 : 1) + ((flags & FLAGS.fin) === 0 ? 0 : 1);
  const body = new DataView(new ArrayBuffer(20));
  body.setUint16(0, of.getUint16(2));
  body.setUint16(2, of.getUint16(0));
  const isAck = (flags & FLAGS.ack) !== 0;
  // Of a connection the next octet that its end waits for; else all that came is acknowledged.
  body.setUint32(4, isAck ? of.getUint32(8) : 0);
  body.setUint32(8, isAck ? 0 : (of.getUint32(4) + taken) >>> 0);
  body.setUint8(12, 5 << 4);
  body.setUint8(13, isAck ? FLAGS.rst : FLAGS.rst | FLAGS.ack);
  return { protocol: TCP, body: new Uint8Array(body.buffer) };
}

function unreachable(frame: Uint8Array, { family, protocol, above }: IpHeader): Answer | null {
  const type = frame[above];
  if (protocol === ICMP[family] && (type === undefined || isError(family, type))) return null;
  const quoted = frame.subarray(IP_AT, IP_AT + MOST_QUOTED);
  const body = new Uint8Array(8 + quoted.length);
  body.set(UNREACHABLE[family]);
  body.set(quoted, 8);
  return { protocol: ICMP[family], body };
}

const CHECKSUM_AT: Readonly<Record<number, number>> = { [TCP]: 16, [ICMP[4]]: 2, [ICMP[6]]: 2 };

/** From the end that the frame was for to the one that sent it. */
function framed({ dst, src, ip }: IpFrame, protocol: number, body: Uint8Array): Uint8Array {
  const header = ip.family === 4 ? ipv4(ip, protocol, body.length) : ipv6(ip, protocol, body.length);
  const pseudo =
    protocol === ICMP[4]
      ? new Uint8Array()
      : pseudoHeader(Uint8Array.of(...ip.dst, ...ip.src), body.length, protocol);
  new DataView(body.buffer).setUint16(CHECKSUM_AT[protocol] ?? 0, checksum(pseudo, body));
  const frame = new Uint8Array(IP_AT + header.length + body.length);
  const view = new DataView(frame.buffer);
  writeHeader(view, { dst: src, src: dst, vlan: 0, type: ip.family === 4 ? IPV4 : IPV6 });
  frame.set(header, IP_AT);
  frame.set(body, IP_AT + header.length);
  return frame;
}

const TTL = 64;
const DONT_FRAGMENT = 0x4000;

function ipv4({ src, dst }: IpHeader, protocol: number, length: number): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  header[0] = 0x45;
  view.setUint16(2, 20 + length);
  view.setUint16(6, DONT_FRAGMENT);
  header[8] = TTL;
  header[9] = protocol;
  header.set(dst, 12);
  header.set(src, 16);
  view.setUint16(10, checksum(header));
  return header;
}

function ipv6({ src, dst }: IpHeader, protocol: number, length: number): Uint8Array {
  const header = new Uint8Array(40);
  header[0] = 0x60;
  new DataView(header.buffer).setUint16(4, length);
  header[6] = protocol;
  header[7] = TTL;
  header.set(dst, 8);
  header.set(src, 24);
  return header;
}
