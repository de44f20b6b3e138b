interface FieldSpec {
  /** Those that mean something. */
  readonly bits: number;
  /** On the wire; absent: as many as the bits need. */
  readonly bytes?: number;
  readonly oxm: readonly [number, number];
}

/**
 * Header, metadata and register fields: name (as in ovs-fields), width in bits, OXM class and number.
 * `oxm` is [class, field]: 0x8000 OpenFlow basic, 0x0000/0x0001 Nicira.
 */
export const FIELDS = {
  in_port: { bits: 32, oxm: [0x8000, 0] },
  metadata: { bits: 64, oxm: [0x8000, 2] },
  eth_dst: { bits: 48, oxm: [0x8000, 3] },
  eth_src: { bits: 48, oxm: [0x8000, 4] },
  eth_type: { bits: 16, oxm: [0x8000, 5] },
  /** 13 bits: 0x1000 set means that a tag is present. */
  vlan_vid: { bits: 13, oxm: [0x8000, 6] },
  vlan_pcp: { bits: 3, oxm: [0x8000, 7] },
  ip_dscp: { bits: 6, oxm: [0x8000, 8] },
  ip_ecn: { bits: 2, oxm: [0x8000, 9] },
  ip_proto: { bits: 8, oxm: [0x8000, 10] },
  ipv4_src: { bits: 32, oxm: [0x8000, 11] },
  ipv4_dst: { bits: 32, oxm: [0x8000, 12] },
  tcp_src: { bits: 16, oxm: [0x8000, 13] },
  tcp_dst: { bits: 16, oxm: [0x8000, 14] },
  udp_src: { bits: 16, oxm: [0x8000, 15] },
  udp_dst: { bits: 16, oxm: [0x8000, 16] },
  sctp_src: { bits: 16, oxm: [0x8000, 17] },
  sctp_dst: { bits: 16, oxm: [0x8000, 18] },
  icmpv4_type: { bits: 8, oxm: [0x8000, 19] },
  icmpv4_code: { bits: 8, oxm: [0x8000, 20] },
  arp_op: { bits: 16, oxm: [0x8000, 21] },
  arp_spa: { bits: 32, oxm: [0x8000, 22] },
  arp_tpa: { bits: 32, oxm: [0x8000, 23] },
  arp_sha: { bits: 48, oxm: [0x8000, 24] },
  arp_tha: { bits: 48, oxm: [0x8000, 25] },
  ipv6_src: { bits: 128, oxm: [0x8000, 26] },
  ipv6_dst: { bits: 128, oxm: [0x8000, 27] },
  ipv6_label: { bits: 20, bytes: 4, oxm: [0x8000, 28] },
  icmpv6_type: { bits: 8, oxm: [0x8000, 29] },
  icmpv6_code: { bits: 8, oxm: [0x8000, 30] },
  nd_target: { bits: 128, oxm: [0x8000, 31] },
  nd_sll: { bits: 48, oxm: [0x8000, 32] },
  nd_tll: { bits: 48, oxm: [0x8000, 33] },
  tun_id: { bits: 64, oxm: [0x8000, 38] },
  tcp_flags: { bits: 12, oxm: [0x8000, 42] },
  /** 1: a fragment; 2 with it: not the first one, which has no ports. */
  ip_frag: { bits: 2, oxm: [0x0001, 26] },
  ip_ttl: { bits: 8, oxm: [0x0001, 29] },
  /** Bits of CT_STATE. */
  ct_state: { bits: 8, bytes: 4, oxm: [0x0001, 105] },
  ct_zone: { bits: 16, oxm: [0x0001, 106] },
  ct_mark: { bits: 32, oxm: [0x0001, 107] },
  ct_label: { bits: 128, oxm: [0x0001, 108] },
  /** The connection's first frame, as `ct` tells it. */
  ct_nw_proto: { bits: 8, oxm: [0x0001, 119] },
  ct_nw_src: { bits: 32, oxm: [0x0001, 120] },
  ct_nw_dst: { bits: 32, oxm: [0x0001, 121] },
  ct_ipv6_src: { bits: 128, oxm: [0x0001, 122] },
  ct_ipv6_dst: { bits: 128, oxm: [0x0001, 123] },
  ct_tp_src: { bits: 16, oxm: [0x0001, 124] },
  ct_tp_dst: { bits: 16, oxm: [0x0001, 125] },
  reg0: { bits: 32, oxm: [0x0001, 0] },
  reg1: { bits: 32, oxm: [0x0001, 1] },
  reg2: { bits: 32, oxm: [0x0001, 2] },
  reg3: { bits: 32, oxm: [0x0001, 3] },
  reg4: { bits: 32, oxm: [0x0001, 4] },
  reg5: { bits: 32, oxm: [0x0001, 5] },
  reg6: { bits: 32, oxm: [0x0001, 6] },
  reg7: { bits: 32, oxm: [0x0001, 7] },
  reg8: { bits: 32, oxm: [0x0001, 8] },
  reg9: { bits: 32, oxm: [0x0001, 9] },
  reg10: { bits: 32, oxm: [0x0001, 10] },
  reg11: { bits: 32, oxm: [0x0001, 11] },
  reg12: { bits: 32, oxm: [0x0001, 12] },
  reg13: { bits: 32, oxm: [0x0001, 13] },
  reg14: { bits: 32, oxm: [0x0001, 14] },
  reg15: { bits: 32, oxm: [0x0001, 15] },
} as const satisfies Record<string, FieldSpec>;

export type FieldName = keyof typeof FIELDS;

/** Bits of `ct_state`: `new` and `established` are never both set; none is while the frame saw no `ct`. */
export const CT_STATE = {
  new: 0x01n,
  established: 0x02n,
  related: 0x04n,
  reply: 0x08n,
  invalid: 0x10n,
  tracked: 0x20n,
  snat: 0x40n,
  dnat: 0x80n,
} as const;
