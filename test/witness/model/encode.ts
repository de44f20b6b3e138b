import { ETHER, PROTOCOL, typeOf, type Body, type Frame, type Ip } from './frame.js';
import { messageBytes } from './group-message.js';
import { addressBytes, checksum, long, word } from './octets.js';

/** What stands at the end of each frame, behind everything that its headers speak of. */
const NUMBER = 4;
/** The least that a frame carries behind its tags. */
const LEAST = 46;

const macBytes = (mac: string): number[] => mac.split(':').map((octet) => parseInt(octet, 16));

/** The frame's octets in hexadecimal, its number at their end. Tags add to its length; nothing else depends on them. */
export function encodeFrame(frame: Frame, number: number): string {
  const tags = frame.tags.flatMap(({ vid, pcp }) => [0x81, 0x00, ...word((pcp << 13) | vid)]);
  const body = bodyBytes(frame);
  while (body.length < Math.max(LEAST, frame.size ?? 0)) body.push(0);
  const head = [...macBytes(frame.to), ...macBytes(frame.from), ...tags, ...word(typeOf(frame))];
  return Buffer.from([...head, ...body, ...long(number)]).toString('hex');
}

/** With its tags. */
export const octetsOf = (frame: Frame): number => encodeFrame(frame, 0).length / 2;

export const numberOf = (hex: string): number => parseInt(hex.slice(-2 * NUMBER), 16);

export const numbered = (hex: string, number: number): string =>
  hex.slice(0, -2 * NUMBER) + Buffer.from(long(number)).toString('hex');

function bodyBytes(frame: Frame): number[] {
  const body: Body = frame.body;
  switch (body.kind) {
    case 'plain': {
      if (body.type !== ETHER.rarp) return [];
      const own = macBytes(frame.from);
      return [0, 1, 8, 0, 6, 4, 0, 3, ...own, 0, 0, 0, 0, ...own, 0, 0, 0, 0];
    }
    case 'arp': {
      const sender = [...macBytes(body.sha), ...addressBytes(body.spa)];
      const target = [...new Array<number>(6).fill(0), ...addressBytes(body.tpa)];
      return [0, 1, 8, 0, 6, 4, 0, body.reply ? 2 : 1, ...sender, ...target];
    }
    case 'ip':
      return body.version === 4 ? ipv4(body) : ipv6(body);
  }
}

function ipv4(ip: Ip): number[] {
  const payload = above(ip);
  const fragment = ip.fragment === undefined ? 0 : ip.fragment === 'first' ? 0x2000 : 185;
  const head = (sum: number): number[] => [
    ...[0x45, ip.dscp << 2, ...word(20 + payload.length), 0, 7, ...word(fragment)],
    ...[
      ip.says === undefined ? 64 : 1,
      ip.protocol,
      ...word(sum),
      ...addressBytes(ip.src),
      ...addressBytes(ip.dst),
    ],
  ];
  return [...head(checksum(head(0))), ...payload];
}

/** Hop-by-hop: routers are to look. */
const ROUTER_ALERT = [PROTOCOL.icmpv6, 0, 5, 2, 0, 0, 1, 0];

function ipv6(ip: Ip): number[] {
  const extension =
    ip.fragment === undefined
      ? ip.says === undefined
        ? []
        : ROUTER_ALERT
      : [ip.protocol, 0, ...word(ip.fragment === 'first' ? 1 : 185 << 3), 0, 0, 0, 7];
  const payload = [...extension, ...above(ip)];
  const next = ip.fragment !== undefined ? 44 : ip.says === undefined ? ip.protocol : 0;
  const first = (0x60000000 | (ip.dscp << 22)) >>> 0;
  return [
    ...[...long(first), ...word(payload.length), next, ip.says === undefined ? 255 : 1],
    ...[...addressBytes(ip.src), ...addressBytes(ip.dst), ...payload],
  ];
}

const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [PROTOCOL.tcp]: 16,
  [PROTOCOL.udp]: 6,
  [PROTOCOL.icmp]: 2,
  [PROTOCOL.icmpv6]: 2,
  [PROTOCOL.igmp]: 2,
};

/** What lies above IP, checksums right: a switch that tracks connections looks at them. */
function above(ip: Ip): number[] {
  const bytes = unchecked(ip);
  const at = CHECKSUM_AT[ip.protocol];
  if (at === undefined || ip.fragment !== undefined) return bytes;
  const ends = [...addressBytes(ip.src), ...addressBytes(ip.dst)];
  const pseudo =
    ip.version === 4
      ? [0, ip.protocol, ...word(bytes.length)]
      : [...long(bytes.length), 0, 0, 0, ip.protocol];
  const isAlone = ip.protocol === PROTOCOL.icmp || ip.protocol === PROTOCOL.igmp;
  const covered = isAlone ? bytes : [...ends, ...pseudo, ...bytes];
  return [...bytes.slice(0, at), ...word(checksum(covered)), ...bytes.slice(at + 2)];
}

function unchecked(ip: Ip): number[] {
  const { version, protocol, ports, flags, seq = 100, ack = 0, icmp, nd, fragment, says } = ip;
  if (fragment === 'later') return [1, 2, 3, 4, 5, 6, 7, 8];
  if (says !== undefined) return messageBytes(version, says);
  if (ports !== undefined) {
    const both = [...word(ports.src), ...word(ports.dst)];
    if (protocol === PROTOCOL.udp) return [...both, ...word(12), 0, 0, 1, 2, 3, 4];
    if (protocol === PROTOCOL.tcp)
      return [...both, ...long(seq), ...long(ack), 0x50, flags ?? 0, ...word(8192), 0, 0, 0, 0];
    return [...both, ...long(7), ...long(0)];
  }
  if (nd !== undefined && icmp !== undefined) {
    const kind = icmp.type === 135 ? 1 : 2;
    const option = nd.mac === undefined ? [] : [kind, 1, ...macBytes(nd.mac)];
    return [icmp.type, icmp.code, 0, 0, 0, 0, 0, 0, ...addressBytes(nd.target), ...option];
  }
  if (icmp !== undefined) return [icmp.type, icmp.code, 0, 0, ...word(icmp.ident), 0, 1];
  return [1, 2, 3, 4];
}
