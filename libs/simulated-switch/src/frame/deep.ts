import { slotOf } from './layout.js';

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const RARP = 0x8035;

const AT = {
  dscp: slotOf('ip_dscp').at,
  ecn: slotOf('ip_ecn').at,
  ttl: slotOf('ip_ttl').at,
  frag: slotOf('ip_frag').at,
  label: slotOf('ipv6_label').at,
  proto: slotOf('ip_proto').at,
  v4src: slotOf('ipv4_src').at,
  v4dst: slotOf('ipv4_dst').at,
  v6src: slotOf('ipv6_src').at,
  v6dst: slotOf('ipv6_dst').at,
  tcpSrc: slotOf('tcp_src').at,
  tcpDst: slotOf('tcp_dst').at,
  tcpFlags: slotOf('tcp_flags').at,
  udpSrc: slotOf('udp_src').at,
  udpDst: slotOf('udp_dst').at,
  sctpSrc: slotOf('sctp_src').at,
  sctpDst: slotOf('sctp_dst').at,
  ndTarget: slotOf('nd_target').at,
  ndSll: slotOf('nd_sll').at,
  ndTll: slotOf('nd_tll').at,
  icmpType: slotOf('icmpv4_type').at,
  icmpCode: slotOf('icmpv4_code').at,
  icmp6Type: slotOf('icmpv6_type').at,
  icmp6Code: slotOf('icmpv6_code').at,
  arpOp: slotOf('arp_op').at,
  arpSpa: slotOf('arp_spa').at,
  arpTpa: slotOf('arp_tpa').at,
  arpSha: slotOf('arp_sha').at,
  arpTha: slotOf('arp_tha').at,
};

/** Reads what lies behind the Ethernet header into the words. A frame cut short leaves the rest at zero. */
export function parseDeep(bytes: Uint8Array, offset: number, etherType: number, words: Uint32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
  if (etherType === IPV4) ipv4(view, words);
  else if (etherType === IPV6) ipv6(view, words);
  else if (etherType === ARP || etherType === RARP) arp(view, words);
}

function ipv4(v: DataView, w: Uint32Array): void {
  if (v.byteLength < 20) return;
  w[AT.dscp] = v.getUint8(1) >> 2;
  w[AT.ecn] = v.getUint8(1) & 3;
  w[AT.ttl] = v.getUint8(8);
  w[AT.proto] = v.getUint8(9);
  w[AT.v4src] = v.getUint32(12);
  w[AT.v4dst] = v.getUint32(16);
  const fragment = v.getUint16(6);
  const later = (fragment & 0x1fff) !== 0;
  w[AT.frag] = later ? 3 : (fragment & 0x2000) !== 0 ? 1 : 0;
  // A later fragment has no ports of its own; the switch sees zeroes there.
  if (later) return;
  transport(v, (v.getUint8(0) & 0xf) * 4, v.getUint8(9), w);
}

const EXTENSIONS = new Set([0, 43, 60]);
const FRAGMENT = 44;

function ipv6(v: DataView, w: Uint32Array): void {
  if (v.byteLength < 40) return;
  w[AT.dscp] = (v.getUint16(0) >> 6) & 0x3f;
  w[AT.ecn] = (v.getUint16(0) >> 4) & 3;
  w[AT.ttl] = v.getUint8(7);
  w[AT.label] = v.getUint32(0) & 0xfffff;
  for (let i = 0; i < 4; i += 1) {
    w[AT.v6src + i] = v.getUint32(8 + i * 4);
    w[AT.v6dst + i] = v.getUint32(24 + i * 4);
  }
  let next = v.getUint8(6);
  let at = 40;
  while (EXTENSIONS.has(next) && at + 8 <= v.byteLength) {
    next = v.getUint8(at);
    at += (v.getUint8(at + 1) + 1) * 8;
  }
  if (next === FRAGMENT && at + 8 <= v.byteLength) {
    const later = v.getUint16(at + 2) >> 3 !== 0;
    const more = (v.getUint16(at + 2) & 1) !== 0;
    w[AT.frag] = later ? 3 : more ? 1 : 0;
    next = v.getUint8(at);
    w[AT.proto] = next;
    if (later) return;
    at += 8;
  }
  w[AT.proto] = next;
  transport(v, at, next, w);
}

function transport(v: DataView, at: number, protocol: number, w: Uint32Array): void {
  const room = v.byteLength - at;
  if (protocol === 6 && room >= 20) {
    w[AT.tcpSrc] = v.getUint16(at);
    w[AT.tcpDst] = v.getUint16(at + 2);
    w[AT.tcpFlags] = v.getUint16(at + 12) & 0xfff;
  } else if (protocol === 17 && room >= 8) {
    w[AT.udpSrc] = v.getUint16(at);
    w[AT.udpDst] = v.getUint16(at + 2);
  } else if (protocol === 132 && room >= 12) {
    w[AT.sctpSrc] = v.getUint16(at);
    w[AT.sctpDst] = v.getUint16(at + 2);
  } else if (protocol === 1 && room >= 4) {
    w[AT.icmpType] = v.getUint8(at);
    w[AT.icmpCode] = v.getUint8(at + 1);
  } else if (protocol === 58 && room >= 4) {
    w[AT.icmp6Type] = v.getUint8(at);
    w[AT.icmp6Code] = v.getUint8(at + 1);
    const type = v.getUint8(at);
    if ((type === 135 || type === 136) && v.getUint8(at + 1) === 0 && room >= 24) neighbour(v, at, w);
  }
}

/** Neighbour discovery: the address asked for, and the link addresses that are told. */
function neighbour(v: DataView, start: number, w: Uint32Array): void {
  for (let i = 0; i < 4; i += 1) w[AT.ndTarget + i] = v.getUint32(start + 8 + i * 4);
  for (let at = start + 24; at + 8 <= v.byteLength;) {
    const bytes = v.getUint8(at + 1) * 8;
    if (bytes === 0) return;
    const kind = v.getUint8(at);
    const into = kind === 1 ? AT.ndSll : kind === 2 ? AT.ndTll : undefined;
    if (into !== undefined && bytes === 8) {
      w[into] = v.getUint16(at + 2);
      w[into + 1] = v.getUint32(at + 4);
    }
    at += bytes;
  }
}

function arp(v: DataView, w: Uint32Array): void {
  if (v.byteLength < 28) return;
  w[AT.arpOp] = v.getUint16(6);
  w[AT.arpSha] = v.getUint16(8);
  w[AT.arpSha + 1] = v.getUint32(10);
  w[AT.arpSpa] = v.getUint32(14);
  w[AT.arpTha] = v.getUint16(18);
  w[AT.arpTha + 1] = v.getUint32(20);
  w[AT.arpTpa] = v.getUint32(24);
}
