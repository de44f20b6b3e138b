import { macFromBigint } from '#kernel';
import { type FieldName } from '../fields.js';
import { type FieldMatch } from '../model.js';

const MACS: ReadonlySet<FieldName> = new Set([
  'eth_dst',
  'eth_src',
  'arp_sha',
  'arp_tha',
  'nd_sll',
  'nd_tll',
]);
const IPV4: ReadonlySet<FieldName> = new Set([
  'ipv4_src',
  'ipv4_dst',
  'arp_spa',
  'arp_tpa',
  'ct_nw_src',
  'ct_nw_dst',
]);
const IPV6: ReadonlySet<FieldName> = new Set([
  'ipv6_src',
  'ipv6_dst',
  'nd_target',
  'ct_ipv6_src',
  'ct_ipv6_dst',
]);
const DECIMAL: ReadonlySet<FieldName> = new Set([
  'in_port',
  'vlan_pcp',
  'ip_dscp',
  'ip_proto',
  'tcp_src',
  'tcp_dst',
  'udp_src',
  'udp_dst',
  'icmpv4_type',
  'icmpv4_code',
  'icmpv6_type',
  'icmpv6_code',
  'arp_op',
  'ip_ecn',
  'ip_ttl',
  'sctp_src',
  'sctp_dst',
  'ct_zone',
  'ct_nw_proto',
  'ct_tp_src',
  'ct_tp_dst',
]);

/** Where ovs-ofctl has another name for a field than the model. */
const OFCTL: Partial<Record<FieldName, string>> = {
  ipv4_src: 'ip_src',
  ipv4_dst: 'ip_dst',
  ip_ttl: 'nw_ttl',
  ip_frag: 'nw_frag',
  icmpv4_type: 'icmp_type',
  icmpv4_code: 'icmp_code',
};

/** ovs-ofctl has words for these bits, and takes no numbers. */
const FRAGMENTS: Readonly<Record<string, string>> = {
  '0/3': 'no',
  '0/1': 'no',
  '1/1': 'yes',
  '1/3': 'first',
  '3/3': 'later',
  '2/2': 'later',
  '0/2': 'not_later',
};

export const fieldText = (name: FieldName): string => OFCTL[name] ?? name;
/** In moves and `learn` the plain `in_port` is the 16-bit field of OpenFlow 1.0. */
export const partText = (name: FieldName): string => (name === 'in_port' ? 'in_port_oxm' : fieldText(name));

/** Value and mask, as ovs-ofctl writes them for this field. */
export function formatField(name: FieldName, match: FieldMatch): string {
  if (name === 'ip_frag') return FRAGMENTS[`${match.value}/${match.mask ?? 3n}`] ?? 'yes';
  const value = formatValue(name, match.value, match.mask !== undefined);
  return match.mask === undefined ? value : `${value}/${formatValue(name, match.mask, true)}`;
}

export function formatValue(name: FieldName, value: bigint, masked = false): string {
  if (MACS.has(name)) return macFromBigint(value);
  if (IPV4.has(name)) return [24n, 16n, 8n, 0n].map((s) => (value >> s) & 0xffn).join('.');
  if (IPV6.has(name)) return ipv6(value);
  return DECIMAL.has(name) && !masked ? value.toString() : `0x${value.toString(16)}`;
}

/** With the longest run of zeros left out. */
function ipv6(value: bigint): string {
  const words = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let [best, length] = [0, 0];
  for (let at = 0; at < 8; at += 1) {
    let run = 0;
    while (words[at + run] === '0') run += 1;
    if (run > length) [best, length] = [at, run];
  }
  if (length < 2) return words.join(':');
  return `${words.slice(0, best).join(':')}::${words.slice(best + length).join(':')}`;
}
