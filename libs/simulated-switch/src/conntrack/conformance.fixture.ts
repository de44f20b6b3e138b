import { CT_STATE } from '#openflow';
import { checksum } from '../frame/checksum.js';

/** Frames of one conversation, and what conntrack says of each: measured on Open vSwitch 3.1 in userspace. */
export interface Conversation {
  readonly name: string;
  readonly frames: readonly (readonly [frame: Uint8Array, state: string, mark: bigint])[];
}

/** Every new frame is committed with this mark. */
export const MARK = 0x77n;
const A = 0x0a000001;
const B = 0x0a000002;
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

/** `new+trk` and so on, in the order of the bits. */
export function stateText(state: bigint): string {
  const names = Object.entries(CT_STATE).filter(([, bit]) => (state & bit) !== 0n);
  return names.map(([name]) => SHORT[name] ?? name).join('+');
}
const SHORT: Readonly<Record<string, string>> = {
  established: 'est',
  related: 'rel',
  reply: 'rpl',
  invalid: 'inv',
  tracked: 'trk',
};

function ip(src: number, dst: number, protocol: number, payload: Uint8Array, fragment = 0): Uint8Array {
  const frame = new Uint8Array(14 + 20 + payload.length);
  const v = new DataView(frame.buffer);
  v.setUint32(0, 0x02000000);
  v.setUint16(4, 2);
  v.setUint32(6, 0x02000000);
  v.setUint16(10, 1);
  v.setUint16(12, 0x0800);
  v.setUint8(14, 0x45);
  v.setUint16(16, 20 + payload.length);
  v.setUint16(20, fragment);
  v.setUint8(22, 64);
  v.setUint8(23, protocol);
  v.setUint32(26, src);
  v.setUint32(30, dst);
  v.setUint16(24, checksum(v, 14, 20));
  frame.set(payload, 34);
  return frame;
}

/** With the checksum at `at`, over the addresses too where the protocol wants it (`pseudo`). */
function summed(src: number, dst: number, protocol: number, body: Uint8Array, at: number, pseudo: boolean) {
  const whole = new Uint8Array(12 + body.length + (body.length % 2));
  const v = new DataView(whole.buffer);
  if (pseudo) {
    v.setUint32(0, src);
    v.setUint32(4, dst);
    v.setUint16(8, protocol);
    v.setUint16(10, body.length);
  }
  whole.set(body, 12);
  new DataView(body.buffer).setUint16(at, checksum(v, 0, whole.length));
  return ip(src, dst, protocol, body);
}

export function tcp(src: number, dst: number, sport: number, dport: number, flags: number, seq = 1, ack = 0) {
  const v = new DataView(new ArrayBuffer(20));
  v.setUint16(0, sport);
  v.setUint16(2, dport);
  v.setUint32(4, seq);
  v.setUint32(8, ack);
  v.setUint8(12, 0x50);
  v.setUint8(13, flags);
  v.setUint16(14, 8192);
  return summed(src, dst, 6, new Uint8Array(v.buffer), 16, true);
}

export function udp(src: number, dst: number, sport: number, dport: number): Uint8Array {
  const v = new DataView(new ArrayBuffer(12));
  v.setUint16(0, sport);
  v.setUint16(2, dport);
  v.setUint16(4, 12);
  return summed(src, dst, 17, new Uint8Array(v.buffer), 6, true);
}

function icmp(src: number, dst: number, type: number, code: number, id: number, data = new Uint8Array()) {
  const body = new Uint8Array(8 + data.length);
  const v = new DataView(body.buffer);
  v.setUint8(0, type);
  v.setUint8(1, code);
  v.setUint16(4, id);
  body.set(data, 8);
  return summed(src, dst, 1, body, 2, false);
}

const speaksOf = (frame: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(frame.slice(14, 14 + 28));

export const CONVERSATIONS: readonly Conversation[] = [
  {
    name: 'UDP is new until an answer came',
    frames: [
      [udp(A, B, 1, 2), 'new+trk', 0n],
      [udp(A, B, 1, 2), 'new+trk', MARK],
      [udp(B, A, 2, 1), 'est+rpl+trk', MARK],
      [udp(A, B, 1, 2), 'est+trk', MARK],
    ],
  },
  {
    name: 'TCP, begun, ended and begun again',
    frames: [
      [tcp(A, B, 5, 80, SYN, 100), 'new+trk', 0n],
      [tcp(A, B, 5, 80, SYN, 100), 'new+trk', MARK],
      [tcp(B, A, 80, 5, SYN | ACK, 500, 101), 'est+rpl+trk', MARK],
      [tcp(A, B, 5, 80, ACK, 101, 501), 'est+trk', MARK],
      [tcp(A, B, 5, 80, FIN | ACK, 101, 501), 'est+trk', MARK],
      [tcp(B, A, 80, 5, FIN | ACK, 501, 102), 'est+rpl+trk', MARK],
      [tcp(A, B, 5, 80, ACK, 102, 502), 'est+trk', MARK],
      [tcp(A, B, 5, 80, SYN, 9000), 'new+trk', 0n],
    ],
  },
  {
    name: 'TCP that was reset begins anew',
    frames: [
      [tcp(A, B, 9, 80, SYN, 100), 'new+trk', 0n],
      [tcp(B, A, 80, 9, RST | ACK, 0, 101), 'est+rpl+trk', MARK],
      [tcp(A, B, 9, 80, SYN, 200), 'new+trk', 0n],
    ],
  },
  {
    name: 'TCP may be met in the middle, but not by its second frame',
    frames: [
      [tcp(A, B, 6, 80, ACK, 100, 7), 'new+trk', 0n],
      [tcp(B, A, 80, 6, ACK, 7, 100), 'est+rpl+trk', MARK],
      [tcp(A, B, 7, 80, SYN | ACK, 100, 7), 'inv+trk', 0n],
      [tcp(A, B, 10, 80, 0), 'inv+trk', 0n],
      [tcp(A, B, 10, 80, SYN | FIN), 'inv+trk', 0n],
    ],
  },
  {
    name: 'echo by its id',
    frames: [
      [icmp(A, B, 8, 0, 3), 'new+trk', 0n],
      [icmp(A, B, 8, 0, 3), 'new+trk', MARK],
      [icmp(B, A, 0, 0, 3), 'est+rpl+trk', MARK],
      [icmp(A, B, 8, 0, 3), 'est+trk', MARK],
      [icmp(B, A, 0, 0, 4), 'inv+trk', 0n],
    ],
  },
  {
    name: 'errors are related to what they speak of',
    frames: [
      [udp(A, B, 21, 22), 'new+trk', 0n],
      [icmp(B, A, 3, 3, 0, speaksOf(udp(A, B, 21, 22))), 'rel+rpl+trk', MARK],
      [icmp(B, A, 3, 3, 0, speaksOf(udp(A, B, 31, 22))), 'inv+trk', 0n],
    ],
  },
  {
    name: 'other protocols by their addresses',
    frames: [
      [ip(A, B, 47, new Uint8Array(8)), 'new+trk', 0n],
      [ip(B, A, 47, new Uint8Array(8)), 'est+rpl+trk', MARK],
    ],
  },
];
