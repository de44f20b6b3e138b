/** A frame as data: what a switch can see of it, and what it may change. `encodeFrame` makes the octets. */
export interface Frame {
  readonly to: string;
  readonly from: string;
  /** 802.1Q, the outermost first. */
  readonly tags: readonly Tag[];
  readonly body: Body;
  /** Octets of the body at least; absent: no more than a frame must have. */
  readonly size?: number;
}

export interface Tag {
  readonly vid: number;
  readonly pcp: number;
}

export type Body = Ip | Arp | Plain;

/** RARP (0x8035) with the sender's MAC, or what no rule knows anything about. */
export interface Plain {
  readonly kind: 'plain';
  readonly type: number;
}

export interface Arp {
  readonly kind: 'arp';
  readonly reply: boolean;
  readonly sha: string;
  readonly spa: string;
  readonly tpa: string;
}

export interface Ip {
  readonly kind: 'ip';
  readonly version: 4 | 6;
  readonly src: string;
  readonly dst: string;
  readonly dscp: number;
  readonly protocol: number;
  /** Absent: whole. */
  readonly fragment?: 'first' | 'later';
  /** Of TCP, UDP, SCTP. */
  readonly ports?: { readonly src: number; readonly dst: number };
  /** Of TCP, as in its header: 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK … */
  readonly flags?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly icmp?: { readonly type: number; readonly code: number; readonly ident: number };
  /** Of a neighbour solicitation or advertisement: whose, and the MAC in its option. */
  readonly nd?: { readonly target: string; readonly mac?: string };
  /** Of IGMP, and of MLD. */
  readonly says?: GroupMessage;
}

/** What is said of a multicast group; no group: of any, which only a question is. */
export interface GroupMessage {
  readonly kind: 'query' | 'join' | 'leave';
  readonly group: string | null;
  /** Of IGMP; MLD is one version behind. */
  readonly version: 2 | 3;
  /** Version 3: from this sender alone. */
  readonly source?: string;
}

export const ETHER = { ipv4: 0x0800, ipv6: 0x86dd, arp: 0x0806, rarp: 0x8035 } as const;
/** What no rule knows anything about, unless it names the type. */
export const PLAIN: Plain = { kind: 'plain', type: 0x88b5 };
export const PROTOCOL = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;
export const SOLICITATION = 135;
export const ADVERTISEMENT = 136;
/** Types of ICMPv6: a question, and what is said without one. */
export const MLD = { query: 130, reports: [131, 132, 143] as readonly number[] } as const;

export const typeOf = ({ body }: Frame): number => {
  if (body.kind === 'plain') return body.type;
  if (body.kind === 'arp') return ETHER.arp;
  return body.version === 4 ? ETHER.ipv4 : ETHER.ipv6;
};

/** Multicast and broadcast. */
export const isGroupMac = (mac: string): boolean => (parseInt(mac.slice(0, 2), 16) & 1) === 1;

/** An address as a number, with its bits. */
export function addressOf(text: string): { readonly value: bigint; readonly bits: 32 | 128 } {
  if (!text.includes(':'))
    return { value: text.split('.').reduce((n, octet) => (n << 8n) | BigInt(octet), 0n), bits: 32 };
  const [head = '', tail] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [words(head), words(tail ?? '')];
  const zeros = new Array<string>(tail === undefined ? 0 : 8 - before.length - after.length).fill('0');
  const all = [...before, ...zeros, ...after];
  return { value: all.reduce((n, word) => (n << 16n) | BigInt(`0x${word}`), 0n), bits: 128 };
}

export function isWithin(address: string, prefix: string): boolean {
  const [base = '', length] = prefix.split('/');
  const [a, b] = [addressOf(address), addressOf(base)];
  if (a.bits !== b.bits) return false;
  const shift = BigInt(b.bits - Number(length ?? b.bits));
  return a.value >> shift === b.value >> shift;
}
