import { ipFrame } from '../frames/ip.js';
import { ICMP, IP_AT, readHead, TCP, type FrameHead, type IpHeader } from './frame.js';

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

/** No group and no broadcast, and neither nobody nor oneself. */
export function isOneHost(address: Uint8Array): boolean {
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

/** From the end that the frame was for to the one that sent it. */
const framed = ({ dst, src, ip }: IpFrame, protocol: number, body: Uint8Array): Uint8Array =>
  ipFrame({ to: src, from: dst, src: ip.dst, dst: ip.src, protocol, body });
