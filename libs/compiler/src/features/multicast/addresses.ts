import { type FieldName } from '#openflow';
import { type GroupAddress } from '../../types.js';
import { type Fields } from '../spread.js';

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const IGMP = 2;
const ICMPV6 = 58;
const MLD_QUERY = 130;
const MLD_REPORTS = [131, 132, 143] as const;

const prefix = (value: number, bits: number) => ({
  value: BigInt(value),
  mask: (0xffff_ffffn << BigInt(32 - bits)) & 0xffff_ffffn,
});

const ALL_HOSTS = 0xe000_0001;

/** All IPv4 groups but those of the link (224.0.0.0/24), as disjoint prefixes: from 224.0.1.0/24, each twice as large, to 232.0.0.0/5. */
const GROUPS_4 = Array.from({ length: 20 }, (_, i) => prefix(0xe000_0000 + 2 ** (8 + i), 24 - i));

/** The scope is four bits of an IPv6 group: all but 2, which is the link. */
const SCOPES_6 = [
  [0x8, 0x8],
  [0x4, 0xc],
  [0x0, 0xe],
  [0x3, 0xf],
] as const;
const GROUPS_6 = SCOPES_6.map(([scope, mask]) => ({
  value: BigInt(0xff00 | scope) << 112n,
  mask: BigInt(0xff00 | mask) << 112n,
}));

/** Frames to groups that ports join. Those of the link are not among them: neighbours are found by them. */
export const GROUP_FRAMES: readonly Fields[] = [
  ...GROUPS_4.map((ipv4_dst) => ({ eth_type: IPV4, ipv4_dst })),
  ...GROUPS_6.map((ipv6_dst) => ({ eth_type: IPV6, ipv6_dst })),
];

const IGMP_FRAMES: Fields = { eth_type: IPV4, ip_proto: IGMP };
const mld = (icmpv6_type: number): Fields => ({ eth_type: IPV6, ip_proto: ICMPV6, icmpv6_type });

/** What the agent has to hear of. */
export const CONTROL: readonly Fields[] = [IGMP_FRAMES, mld(MLD_QUERY), ...MLD_REPORTS.map(mld)];

/** Questions to everybody. */
export const QUERIES: readonly Fields[] = [{ ...IGMP_FRAMES, ipv4_dst: ALL_HOSTS }, mld(MLD_QUERY)];

/** What members say. The switch can't tell IGMP's kinds apart: a question about one group is among them, see the agent. */
export const REPORTS: readonly Fields[] = [IGMP_FRAMES, ...MLD_REPORTS.map(mld)];

export const toGroup = ({ family, address }: GroupAddress): Fields =>
  family === 4 ? { eth_type: IPV4, ipv4_dst: address } : { eth_type: IPV6, ipv6_dst: address };

/** The field of a flow's match that `toGroup` writes, with the family that it is of. */
export const GROUP_FIELDS: readonly (readonly [GroupAddress['family'], FieldName])[] = [
  [4, 'ipv4_dst'],
  [6, 'ipv6_dst'],
];
