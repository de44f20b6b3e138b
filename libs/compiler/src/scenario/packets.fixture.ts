import { frame } from './frames.fixture.js';

export interface PacketSpec {
  readonly to: string;
  readonly from: string;
  readonly src: string;
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sport?: number;
  readonly dport?: number;
  /** Of TCP: 2 SYN, 16 ACK. */
  readonly flags?: number;
  readonly dscp?: number;
  /** The flags and offset of the fragment. */
  readonly fragment?: number;
  readonly vlan?: number;
  readonly seq?: number;
  readonly ack?: number;
}

const PROTOCOL = { tcp: 6, udp: 17, icmp: 1 } as const;
const word = (n: number): number[] => [(n >>> 8) & 0xff, n & 0xff];
const long = (n: number): number[] => [...word(n >>> 16), ...word(n & 0xffff)];
const address = (text: string): number[] => text.split('.').map(Number);

function sum(bytes: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total >>> 16) + (total & 0xffff);
  return ~total & 0xffff;
}

/** An IPv4 packet whose checksums are right: a switch that tracks connections looks at them. */
export function packet(p: PacketSpec): Uint8Array {
  const protocol = PROTOCOL[p.protocol];
  const body = checked(p, bodyOf(p));
  const head = (checksum: number): number[] => [
    ...[0x45, (p.dscp ?? 0) << 2],
    ...word(20 + body.length),
    ...[0, 7],
    ...word(p.fragment ?? 0),
    ...[64, protocol],
    ...word(checksum),
    ...address(p.src),
    ...address(p.dst),
  ];
  const payload = [...head(sum(head(0))), ...body];
  const { to, from, vlan } = p;
  return frame({ to, from, type: 0x0800, payload, ...(vlan === undefined ? {} : { vlan }) });
}

function bodyOf({ protocol, sport = 1000, dport = 80, flags = 2, seq = 100, ack = 0 }: PacketSpec): number[] {
  if (protocol === 'icmp') return [sport, dport, 0, 0, 0, 1, 0, 1];
  const ports = [...word(sport), ...word(dport)];
  if (protocol === 'udp') return [...ports, ...word(12), 0, 0, 1, 2, 3, 4];
  return [...ports, ...long(seq), ...long(ack), 0x50, flags, ...word(8192), 0, 0, 0, 0];
}

function checked(p: PacketSpec, body: number[]): number[] {
  const at = { tcp: 16, udp: 6, icmp: 2 }[p.protocol];
  const pseudo = [...address(p.src), ...address(p.dst), 0, PROTOCOL[p.protocol], ...word(body.length)];
  const value = sum(p.protocol === 'icmp' ? body : [...pseudo, ...body]);
  return [...body.slice(0, at), ...word(value), ...body.slice(at + 2)];
}
