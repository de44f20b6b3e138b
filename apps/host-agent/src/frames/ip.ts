import { checksum, pseudoHeader } from './checksum.js';
import { headerSize, writeHeader } from './ethernet.js';

/** An IP packet to be, and the frame around it. */
export interface IpPacket {
  readonly to: bigint;
  readonly from: bigint;
  /** Of 4 or 16 octets, both. */
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
  readonly protocol: number;
  /** What is above IP, but for its checksum. */
  readonly body: Uint8Array;
}

const TYPES = { 4: 0x0800, 6: 0x86dd } as const;
const ICMP = 1;
const CHECKSUM_AT: Readonly<Record<number, number>> = { [ICMP]: 2, 6: 16, 17: 6, 58: 2 };
const TTL = 64;
const DONT_FRAGMENT = 0x4000;

/** The frame, with all checksums; it writes that of what is above IP into `body`. */
export function ipFrame(packet: IpPacket): Uint8Array {
  const { to, from, src, dst, protocol, body } = packet;
  const header = src.length === 4 ? ipv4(packet) : ipv6(packet);
  const sum = CHECKSUM_AT[protocol];
  if (sum !== undefined) {
    const ends =
      protocol === ICMP
        ? new Uint8Array()
        : pseudoHeader(Uint8Array.of(...src, ...dst), body.length, protocol);
    new DataView(body.buffer, body.byteOffset).setUint16(sum, checksum(ends, body));
  }
  const frame = new Uint8Array(headerSize(0) + header.length + body.length);
  const type = TYPES[src.length === 4 ? 4 : 6];
  const at = writeHeader(new DataView(frame.buffer), { dst: to, src: from, vlan: 0, type });
  frame.set(header, at);
  frame.set(body, at + header.length);
  return frame;
}

function ipv4({ src, dst, protocol, body }: IpPacket): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  header[0] = 0x45;
  view.setUint16(2, 20 + body.length);
  view.setUint16(6, DONT_FRAGMENT);
  header[8] = TTL;
  header[9] = protocol;
  header.set(src, 12);
  header.set(dst, 16);
  view.setUint16(10, checksum(header));
  return header;
}

function ipv6({ src, dst, protocol, body }: IpPacket): Uint8Array {
  const header = new Uint8Array(40);
  header[0] = 0x60;
  new DataView(header.buffer).setUint16(4, body.length);
  header[6] = protocol;
  header[7] = TTL;
  header.set(src, 8);
  header.set(dst, 24);
  return header;
}
